// SPDX-License-Identifier: Apache-2.0
#pragma once
// File operations one after the other, on a loop: each begins when the one before it succeeded.
//
// A step without a handle, behind one that opened a file, is given that handle; Close ends that. Thread: the loop's.
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "io/loop.h"

namespace storage {

struct StepsOutcome {
  std::optional<base::Error> error;  // none: all were carried out
  std::size_t failed_step = 0;
  io::FileHandle handle = -1;  // that a step opened and none has closed; the caller does, also after an error
};

void run_steps(io::Loop&, std::vector<io::FileRequest>, std::move_only_function<void(StepsOutcome)> done);

// ENOSPC and EDQUOT.
bool is_out_of_space(const base::Error&);
// EMFILE and ENFILE.
bool is_out_of_descriptors(const base::Error&);

}  // namespace storage
