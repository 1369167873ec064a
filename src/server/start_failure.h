// SPDX-License-Identifier: Apache-2.0
#pragma once
// Why there is no server: a sentence for the person who started it, which says what to do, and how the program ends.
#include <string>

#include "base/result.h"
#include "storage/lane.h"

namespace server {

struct StartFailure {
  int exit_code;         // of exit_code.h
  std::string sentence;  // without a full stop
};

StartFailure cannot_listen(const base::Error&, const std::string& endpoint);
StartFailure cannot_open_log(const base::Error&, const std::string& directory);
// The lane did not take the channels.
StartFailure cannot_declare(storage::LaneCondition, const std::string& directory);

}  // namespace server
