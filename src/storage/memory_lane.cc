// SPDX-License-Identifier: Apache-2.0
#include "storage/memory_lane.h"

#include <utility>

#include "base/result.h"

namespace storage {

namespace {

Identity new_identity(io::Random& random) {
  Identity identity{random.u64(), {}};
  random.fill(identity.deduplication_key);
  return identity;
}

template <class Done, class Reply>
void answer(io::Loop& from, Done done, Reply reply) {
  from.post([done = std::move(done), reply = std::move(reply)]() mutable { done(std::move(reply)); });
}

}  // namespace

MemoryLane::MemoryLane(io::Loop& lane_loop, const Limits& limits)
    : loop_(lane_loop),
      clock_(lane_loop),
      identity_(new_identity(lane_loop.random())),
      store_(lane_loop, topics_, limits.memory_bytes_max),
      writer_(lane_loop, clock_, topics_, store_, limits, {}) {
  // After the writer's own hook, so that a turn that drained the lane is the one in which it stops.
  lane_loop.at_end_of_turn([](void* self) { static_cast<MemoryLane*>(self)->finish_stopping(); }, this);
}

void MemoryLane::append(io::Loop& from, std::vector<NewEvent> events, AppendDone done) {
  writer_.append(from, std::move(events), std::move(done));
}

void MemoryLane::read(io::Loop& from, ReadRequest request, ReadDone done) {
  if (!enter()) {
    const Sequence after = request.after.value_or(0);
    return answer(from, std::move(done), ReadReply{ReadStatus::Stopped, {}, after, after, 0});
  }
  loop_.post([this, &from, request = std::move(request), done = std::move(done)]() mutable {
    answer(from, std::move(done), store_.read(request, durable()));
    calls_.leave(1);
  });
}

void MemoryLane::locate(io::Loop& from, LocateRequest request, LocateDone done) {
  if (!enter()) return answer(from, std::move(done), LocateReply{LookupStatus::Stopped, 0, 0, 0, 0});
  loop_.post([this, &from, request = std::move(request), done = std::move(done)]() mutable {
    answer(from, std::move(done), store_.locate(request, durable()));
    calls_.leave(1);
  });
}

void MemoryLane::newest_per_address(io::Loop& from, NewestRequest request, NewestDone done) {
  if (!enter()) {
    const Sequence after = request.after.value_or(0);
    return answer(from, std::move(done), NewestReply{LookupStatus::Stopped, {}, after, after, 0, 0});
  }
  loop_.post([this, &from, request = std::move(request), done = std::move(done)]() mutable {
    answer(from, std::move(done), store_.newest_per_address(request, durable()));
    calls_.leave(1);
  });
}

void MemoryLane::declare(io::Loop& from, std::vector<TopicDeclaration> declared, DeclareDone done) {
  if (!enter()) return answer(from, std::move(done), std::vector<TopicId>());
  loop_.post([this, &from, declared = std::move(declared), done = std::move(done)]() mutable {
    std::vector<TopicId> ids;
    ids.reserve(declared.size());
    for (const TopicDeclaration& each : declared) ids.push_back(topics_.declare(each.identity));
    answer(from, std::move(done), std::move(ids));
    calls_.leave(1);
  });
}

void MemoryLane::follow(io::Loop& loop, OnCommit on_commit) {
  if (!enter()) return;
  loop_.post([this, &loop, told = durable(), on_commit = std::move(on_commit)]() mutable {
    writer_.follow(loop, std::move(on_commit), told);
    calls_.leave(1);
  });
}

void MemoryLane::stop(io::Task stopped) {
  CHECK(!stopped_, "a lane is stopped twice");
  stopped_ = std::move(stopped);
  writer_.close();
  calls_.close();
}

void MemoryLane::finish_stopping() {
  if (!stopped_ || !writer_.drained() || !calls_.drained()) return;
  std::exchange(stopped_, nullptr)();
}

}  // namespace storage
