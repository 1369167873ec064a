// SPDX-License-Identifier: Apache-2.0
#pragma once
// Requests on their way through the writer, and the way back: one message per publishing loop with all its answers.
//
// Thread: the lane's loop. A request is allocated once, on the publisher's loop, and dies there too.
#include <cstddef>
#include <memory>
#include <vector>

#include "storage/lane.h"

namespace storage {

struct Request {
  io::Loop& from;
  std::vector<NewEvent> events;
  Lane::AppendDone done;
  std::size_t bytes;  // what it weighs in the queue and in a group
  AppendReply reply = {};
};
using RequestPtr = std::unique_ptr<Request>;

class Answers final {
 public:
  void add(RequestPtr);       // answered with its `reply`, in the order of adding
  void refuse(AppendStatus);  // whatever they were to be told
  void post();                // and is empty again

 private:
  struct OfLoop {
    io::Loop* loop;
    std::vector<RequestPtr> requests;
  };
  std::vector<OfLoop> loops_;  // as many as there are publishing loops: few
};

void refuse(Request&, AppendStatus);

}  // namespace storage
