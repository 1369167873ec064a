// SPDX-License-Identifier: Apache-2.0
#include "storage/log/file_steps.h"

#include <cerrno>
#include <memory>
#include <utility>

namespace storage {

namespace {

struct Steps {
  io::Loop& loop;
  std::vector<io::FileRequest> requests;
  std::move_only_function<void(StepsOutcome)> done;
  std::size_t next = 0;
  io::FileHandle handle = -1;
};

bool wants_handle(io::FileRequest::Kind kind) {
  using Kind = io::FileRequest::Kind;
  return kind == Kind::ReadAt || kind == Kind::WriteAt || kind == Kind::Sync || kind == Kind::Allocate ||
         kind == Kind::Truncate || kind == Kind::Lock || kind == Kind::Close;
}

void take_step(std::unique_ptr<Steps> steps) {
  if (steps->next == steps->requests.size()) return steps->done({std::nullopt, 0, steps->handle});
  io::FileRequest& request = steps->requests[steps->next];
  if (wants_handle(request.kind) && request.handle < 0) request.handle = steps->handle;
  const bool opens = request.kind == io::FileRequest::Kind::Open;
  // A Close that fails has closed the file, too.
  if (request.kind == io::FileRequest::Kind::Close && request.handle == steps->handle) steps->handle = -1;
  io::Loop& loop = steps->loop;
  loop.files().submit(loop, std::move(request), [steps = std::move(steps), opens](auto reply) mutable {
    if (!reply) return steps->done({reply.error(), steps->next, steps->handle});
    if (opens) steps->handle = reply->handle;
    ++steps->next;
    take_step(std::move(steps));
  });
}

}  // namespace

void run_steps(io::Loop& loop, std::vector<io::FileRequest> requests,
               std::move_only_function<void(StepsOutcome)> done) {
  take_step(std::make_unique<Steps>(loop, std::move(requests), std::move(done)));
}

bool is_out_of_space(const base::Error& error) { return error.sys_errno == ENOSPC || error.sys_errno == EDQUOT; }

bool is_out_of_descriptors(const base::Error& error) { return error.sys_errno == EMFILE || error.sys_errno == ENFILE; }

}  // namespace storage
