// SPDX-License-Identifier: Apache-2.0
#include "storage/answers.h"

#include <algorithm>
#include <utility>

namespace storage {

void refuse(Request& request, AppendStatus status) { request.reply = {status, {}, {}}; }

void Answers::add(RequestPtr request) {
  const auto of_loop = std::ranges::find(loops_, &request->from, &OfLoop::loop);
  if (of_loop != loops_.end()) {
    of_loop->requests.push_back(std::move(request));
    return;
  }
  loops_.push_back({&request->from, {}});
  loops_.back().requests.push_back(std::move(request));
}

void Answers::refuse(AppendStatus status) {
  for (OfLoop& of_loop : loops_) {
    for (const RequestPtr& request : of_loop.requests) storage::refuse(*request, status);
  }
}

void Answers::post() {
  for (OfLoop& of_loop : loops_) {
    if (of_loop.requests.empty()) continue;
    of_loop.loop->post([requests = std::exchange(of_loop.requests, {})] {
      for (const RequestPtr& request : requests) request->done(std::move(request->reply));
    });
  }
}

}  // namespace storage
