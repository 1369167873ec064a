// SPDX-License-Identifier: Apache-2.0
#include "engine/engine.h"

#include <array>
#include <utility>

#include "codec/mime.h"
#include "codec/rfc3339.h"
#include "codec/uuid7.h"
#include "engine/runs.h"

namespace engine {

namespace {

std::optional<std::string> id_at(const storage::Block& block, storage::Sequence sequence) {
  std::vector<Event> run;
  for (const storage::Entry& entry : block.entries) {
    if (sequence < entry.first_sequence || sequence > entry.last_sequence()) continue;
    for (RunReader runs(entry); runs.next(run);)
      for (const Event& event : run)
        if (event.sequence == sequence) return std::string(event.content.id);
  }
  return std::nullopt;
}

}  // namespace

Engine::Engine(io::Loop& loop, storage::Lane& lane, const Topics& topics)
    : loop_(loop), lane_(lane), topics_(topics), tail_(lane.durable()), loop_end_(lane.durable()) {
  lane_.follow(loop_, [this](const storage::Commit& commit) { on_commit(commit); });
}

Engine::~Engine() { CHECK(index_.subscriptions() == 0, "an engine ended before its subscriptions"); }

std::uint64_t Engine::await(Subscription& subscription) {
  awaited_.emplace(++last_awaited_id_, &subscription);
  return last_awaited_id_;
}

Subscription* Engine::awaited(std::uint64_t id) {
  const auto found = awaited_.extract(id);
  return found ? found.mapped() : nullptr;
}

void Engine::on_commit(const storage::Commit& commit) {
  if (commit.block) {
    tail_.push(commit.block);
    for (const storage::Entry& entry : commit.block->entries)
      if (index_.has_topic(entry.topic)) fan_out(entry);
  } else {
    // Too much was waiting here: the tail begins anew behind the commit, and everybody reads the lane.
    ++counters_.tail_lost;
    index_.for_each([](Subscription& subscription) { subscription.on_tail_lost(); });
    tail_.restart(commit.last);
  }
  loop_end_ = commit.last;
}

void Engine::fan_out(const storage::Entry& entry) {
  RunReader runs(entry);
  while (runs.next(run_)) {
    const AddressSubscribers* list = index_.find(entry.topic, run_.front().content.address);
    if (list == nullptr) continue;
    if (run_.front().is_ephemeral()) run_.front().live_number = ++last_live_number_;
    for (Subscription* subscription : list->all()) subscription->on_live_events(run_);
  }
}

base::Result<void> Engine::publish(const Publication& publication, PublishDone done) {
  const contract::Message* message = TRY(message_of(publication));
  codec::CloudEvent event = publication.content;
  event.message = message->name;
  event.address = publication.address;
  if (event.datacontenttype.empty()) event.datacontenttype = message->content_type;
  if (codec::is_json(event.datacontenttype)) {
    const auto well_formed = json_parser_.check(event.data.value_or(base::Bytes{}));
    if (!well_formed) return base::fail(base::Errc::Invalid, well_formed.error().text);
  }
  std::string id, time;
  const std::string source = event.source.empty() ? '/' + std::string(publication.address) : std::string(event.source);
  event.source = source;
  if (event.type.empty()) event.type = message->name;
  if (event.id.empty()) {
    std::array<std::uint8_t, 10> random;
    loop_.random().fill(random);
    codec::append_uuid7(id, loop_.wall_ms(), random);
    event.id = id;
  }
  if (event.time.empty()) {
    codec::append_rfc3339(time, loop_.wall_ms());
    event.time = time;
  }
  if (publication.channel.is_ephemeral()) {
    broadcast(publication, event, std::move(done));
  } else {
    append(publication, event, std::move(done));
  }
  return {};
}

void Engine::append(const Publication& publication, const codec::CloudEvent& event, PublishDone done) {
  std::vector<storage::NewEvent> events(1);
  events[0].topic = publication.channel.topic;
  events[0].address_hash = storage::address_hash(lane_.identity(), publication.address);
  events[0].repeat = repeat_of(publication, event, lane_.identity());
  codec::append_event_record(events[0].record_tail, event, {});
  PublishReply reply{storage::AppendStatus::Durable, false, std::string(event.id), {}};
  reply.id_given = !publication.content.id.empty();
  lane_.append(loop_, std::move(events),
               [this, &channel = publication.channel, reply = std::move(reply),
                done = std::move(done)](const storage::AppendReply& appended) mutable {
                 answer(appended, std::move(reply), channel, std::move(done));
               });
}

void Engine::answer(const storage::AppendReply& appended, PublishReply reply, const Channel& channel,
                    PublishDone done) {
  reply.status = appended.status;
  if (appended.status != storage::AppendStatus::Durable) {
    ++counters_.refused;
    return done(std::move(reply));
  }
  reply.duplicate = appended.items[0].duplicate;
  reply.cursor = cursor(appended.items[0].sequence);
  ++(reply.duplicate ? counters_.repeated : counters_.published);
  if (reply.duplicate && !reply.id_given) return answer_with_first_id(std::move(reply), channel, std::move(done));
  done(std::move(reply));
}

// A repeat by key was given an id of its own that names no event: the first one's is in the log.
void Engine::answer_with_first_id(PublishReply reply, const Channel& channel, PublishDone done) {
  const storage::Sequence sequence = reply.cursor.sequence;
  lane_.read(loop_, {{channel.topic}, sequence - 1, 1},
             [sequence, reply = std::move(reply), done = std::move(done)](const storage::ReadReply& read) mutable {
               reply.id.clear();  // trimmed meanwhile: the cursor still says which one it was
               for (const storage::BlockPtr& block : read.blocks)
                 if (const auto id = id_at(*block, sequence)) reply.id = *id;
               done(std::move(reply));
             });
}

// Ephemeral events never enter the log: encoded once, they go from loop to loop. The order of one publishing
// connection holds, because each pair of loops keeps the order of its messages.
void Engine::broadcast(const Publication& publication, const codec::CloudEvent& event, PublishDone done) {
  std::string tail;
  codec::append_event_record(tail, event, {});
  codec::BatchBuilder builder;
  const std::int64_t now_ms = loop_.wall_ms();
  builder.start(0, now_ms);
  builder.add(now_ms, tail);
  auto block = std::make_shared<storage::Block>();
  block->bytes = builder.finish();
  block->entries.push_back({publication.channel.topic, 1, 0, block->bytes});
  for (Engine* engine : all_) {
    if (engine != this) post_ephemeral(block, *engine);
  }
  on_ephemeral(block);
  ++counters_.published;
  done({storage::AppendStatus::Durable, false, std::string(event.id), latest()});
}

// A loop that does not keep up costs a bounded amount of memory: it is spared the event.
void Engine::post_ephemeral(const storage::BlockPtr& block, Engine& to) {
  if (!to.ephemeral_waiting_.enter(block->memory_bytes())) {
    ++counters_.ephemeral_dropped;
    return;
  }
  to.loop_.post([&to, block] {
    to.ephemeral_waiting_.leave(block->memory_bytes());
    to.on_ephemeral(block);
  });
}

void Engine::on_ephemeral(const storage::BlockPtr& block) {
  const storage::Entry& entry = block->entries.front();
  if (index_.has_topic(entry.topic)) fan_out(entry);
}

}  // namespace engine
