// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/lane_life.h"

#include <algorithm>
#include <utility>

#include "base/siphash.h"
#include "codec/record_batch.h"

namespace lane_sim {

using storage::AppendReply;
using storage::AppendStatus;
using storage::ReadReply;
using storage::ReadStatus;

namespace {

constexpr std::uint64_t kPatienceNs = 300 * sim::kSecondNs;
constexpr int kRepliesPerTopicMax = 20'000;

}  // namespace

LaneLife::LaneLife(sim::SimWorld& world, std::string directory, const storage::Limits& limits, std::size_t loops,
                   LaneModel& model, sim::Choices& choices)
    : world_(world),
      directory_(std::move(directory)),
      limits_(limits),
      model_(model),
      choices_(choices),
      lane_loop_(world.world(), "lane") {
  for (std::size_t i = 0; i < loops; ++i) clients_.push_back(std::make_unique<Client>(world.world(), i));
}

LaneLife::~LaneLife() { model_.ended(); }

base::Result<void> LaneLife::open(LaneModel::Epoch epoch) {
  lane_ = TRY(storage::FileLane::open(world_.world(), lane_loop_, directory_, limits_));
  model_.opened(lane_->identity(), lane_->durable(), epoch);
  world_.world().threads.start(lane_loop_);
  for (const auto& client : clients_) {
    lane_->follow(client->loop, [this, i = client->index](const storage::Commit& commit) {
      model_.told(i, commit, lane_->durable());
    });
    world_.world().threads.start(client->loop);
  }
  return {};
}

bool LaneLife::wait(const std::function<bool()>& done) {
  const auto is_over = [&] { return done() || !world_.files().has_power() || !model_.wrong().empty(); };
  if (!world_.run_until(is_over, kPatienceNs)) model_.blame("somebody is never answered");
  return world_.files().has_power() && model_.wrong().empty();
}

bool LaneLife::declare(const std::vector<storage::TopicDeclaration>& topics) {
  for (const auto& topic : topics) model_.declares(topic);
  bool done = false;
  clients_[0]->loop.post([&] {
    lane_->declare(clients_[0]->loop, topics, [&](const std::vector<TopicId>& ids) {
      model_.declared(topics, ids);
      done = true;
    });
  });
  return wait([&] { return done; });
}

bool LaneLife::stop() {
  bool stopped = false;
  model_.allow(LaneModel::Trouble::Stopping);
  lane_loop_.post([&] { lane_->stop([&] { stopped = true; }); });
  return wait([&] { return stopped && under_way_ == 0; });
}

// --- traffic

bool LaneLife::live(const Traffic& traffic) {
  begin(traffic);
  return wait([this] { return under_way_ == 0; });
}

bool LaneLife::live_for(const Traffic& traffic, std::uint64_t steps) {
  begin(traffic);
  const std::uint64_t end = world_.steps() + steps;
  return wait([&] { return under_way_ == 0 || world_.steps() >= end; });
}

void LaneLife::begin(const Traffic& traffic) {
  traffic_ = traffic;
  undeclared_ = traffic.new_topics;
  actions_left_ = traffic.actions;
  for (const auto& client : clients_) {
    for (std::uint64_t i = 0; i < traffic.chains; ++i) {
      ++under_way_;
      act_soon(*client);
    }
  }
}

void LaneLife::act_soon(Client& client) {
  client.loop.post([this, &client] { act(client); });
}

void LaneLife::act(Client& client) {
  if (actions_left_ == 0) {
    --under_way_;
    return;
  }
  --actions_left_;
  if (!undeclared_.empty() && choices_.one_in(8)) return declare_something(client);
  const bool looks_up = traffic_.lookups_percent > 0 && choices_.below(100) < traffic_.lookups_percent;
  if (looks_up && choose_topic()) return look_something_up(client);
  if (choices_.below(100) < traffic_.reads_percent) return read_something(client);
  publish_something(client);
}

void LaneLife::declare_something(Client& client) {
  const storage::TopicDeclaration topic = undeclared_.back();
  undeclared_.pop_back();
  model_.declares(topic);
  lane_->declare(client.loop, {topic}, [this, &client, topic](const std::vector<TopicId>& ids) {
    model_.declared({topic}, ids);
    act(client);
  });
}

// --- publishing

void LaneLife::publish_something(Client& client) {
  if (!choose_topic()) return read_something(client);
  const std::uint64_t count = choices_.one_in(3) ? 1 + choices_.below(20) : 1 + choices_.below(4);
  std::vector<ContentNumber> events;
  for (std::uint64_t i = 0; i < count; ++i) events.push_back(choose_content());
  submit(client, std::move(events), [this, &client](const AppendReply& reply) {
    if (reply.status == AppendStatus::Stopped) actions_left_ = 0;
    act(client);
  });
}

std::optional<std::string> LaneLife::choose_topic() {
  std::vector<std::string> known;
  for (const std::string& topic : model_.topics()) {
    if (model_.id_of(topic)) known.push_back(topic);
  }
  if (known.empty()) return std::nullopt;
  return known[choices_.below(known.size())];
}

ContentNumber LaneLife::choose_content() {
  const std::string topic = choose_topic().value();
  const std::size_t bytes = choices_.one_in(50) ? choices_.below(traffic_.large_bytes) : 8 + choices_.below(150);
  if (choices_.below(100) >= traffic_.id_percent) return model_.invent(topic, bytes, std::nullopt);
  if (choices_.one_in(3)) {
    bool conflicts = false;
    const std::optional<ContentNumber> earlier = choose_repeat(conflicts);
    if (earlier && !conflicts) return *earlier;
    if (earlier) return model_.invent(model_.contents()[*earlier].topic, bytes, model_.contents()[*earlier].id);
  }
  return model_.invent(topic, bytes, choices_.next());
}

// One of the newest that have an id, if a few attempts find one.
std::optional<ContentNumber> LaneLife::choose_repeat(bool& conflicts) {
  const std::vector<Content>& contents = model_.contents();
  conflicts = choices_.one_in(12);
  for (int attempt = 0; attempt < 6 && !contents.empty(); ++attempt) {
    const std::size_t back = 1 + choices_.below(std::min<std::size_t>(contents.size(), 80));
    const Content& content = contents[contents.size() - back];
    if (content.id && model_.id_of(content.topic)) return contents.size() - back;
  }
  return std::nullopt;
}

std::vector<storage::NewEvent> LaneLife::encode(const std::vector<ContentNumber>& events) const {
  const storage::Identity& identity = model_.identity();
  std::vector<storage::NewEvent> encoded;
  for (const ContentNumber number : events) {
    const Content& content = model_.contents()[number];
    storage::NewEvent event{model_.id_of(content.topic).value(), content.address, {}, {}};
    codec::append_record_tail(event.record_tail, std::nullopt, content.value, {});
    if (content.id) {
      event.repeat = storage::Repeat{base::siphash128(identity.deduplication_key, std::to_string(*content.id)),
                                     base::siphash128(identity.deduplication_key, content.value)};
    }
    encoded.push_back(std::move(event));
  }
  return encoded;
}

void LaneLife::submit(Client& client, std::vector<ContentNumber> events, std::function<void(const AppendReply&)> done) {
  std::vector<storage::NewEvent> encoded = encode(events);
  const RequestNumber request = model_.asked(client.index, std::move(events));
  lane_->append(client.loop, std::move(encoded), [this, request, done = std::move(done)](const AppendReply& reply) {
    model_.answered(request, reply);
    done(reply);
  });
}

std::optional<AppendReply> LaneLife::publish(std::vector<ContentNumber> events) {
  std::optional<AppendReply> answer;
  clients_[0]->loop.post(
      [&] { submit(*clients_[0], std::move(events), [&](const AppendReply& reply) { answer = reply; }); });
  return wait([&] { return answer.has_value(); }) ? answer : std::nullopt;
}

// --- reading

void LaneLife::ask(Client& client, storage::ReadRequest request, std::function<void(const ReadReply&)> done) {
  Question question = model_.asks(request, lane_->durable());
  lane_->read(client.loop, std::move(request),
              [this, question = std::move(question), done = std::move(done)](const ReadReply& reply) {
                model_.answered(question, reply, lane_->durable());
                done(reply);
              });
}

std::optional<ReadReply> LaneLife::read(const std::vector<std::string>& topics, std::optional<Sequence> after) {
  storage::ReadRequest request{.topics = {}, .after = after, .bytes_max = 1 << 20};
  for (const std::string& topic : topics) request.topics.push_back(model_.id_of(topic).value());
  std::ranges::sort(request.topics);
  std::optional<ReadReply> answer;
  clients_[0]->loop.post(
      [&] { ask(*clients_[0], std::move(request), [&](const ReadReply& reply) { answer = reply; }); });
  return wait([&] { return answer.has_value(); }) ? answer : std::nullopt;
}

void LaneLife::read_something(Client& client) {
  if (client.scan_topics.empty()) client.scan_topics = choose_topics();
  if (client.scan_topics.empty()) return act_soon(client);
  const std::size_t bytes_max = choices_.one_in(3) ? 1 : choices_.below(100'000) + 1;
  if (choices_.one_in(3)) {
    storage::ReadRequest request{choose_topics(), choose_position(), bytes_max, choose_addresses()};
    return ask(client, std::move(request), [this, &client](const ReadReply&) { act(client); });
  }
  ask(client, {client.scan_topics, client.scan_after, bytes_max, {}}, [this, &client](const ReadReply& reply) {
    scan(client, reply);
    act(client);
  });
}

void LaneLife::scan(Client& client, const ReadReply& reply) {
  const bool is_at_end = reply.status == ReadStatus::Read && reply.covered >= lane_->durable();
  if (reply.status == ReadStatus::Read) client.scan_after = reply.covered;
  if (reply.status == ReadStatus::Damaged) client.scan_after = reply.damaged_last;
  if (reply.status == ReadStatus::Trimmed) client.scan_after = reply.complete_after;
  if (reply.status != ReadStatus::Ahead && !is_at_end) return;
  client.scan_topics.clear();
  client.scan_after.reset();
}

std::vector<TopicId> LaneLife::choose_topics() {
  std::vector<TopicId> known, chosen;
  for (const std::string& topic : model_.topics()) {
    if (const auto id = model_.id_of(topic)) known.push_back(*id);
  }
  std::ranges::sort(known);
  while (chosen.empty() && !known.empty()) {
    for (const TopicId id : known) {
      if (choices_.one_in(2)) chosen.push_back(id);
    }
  }
  return chosen;
}

std::vector<std::uint64_t> LaneLife::choose_addresses() {
  std::vector<std::uint64_t> chosen;
  if (choices_.one_in(2)) return chosen;
  for (const std::string& topic : model_.topics()) {
    for (std::uint64_t n = 0; n < LaneModel::kAddresses; ++n) {
      if (choices_.one_in(3)) chosen.push_back(LaneModel::address(topic, n));
    }
  }
  std::ranges::sort(chosen);
  return chosen;
}

void LaneLife::look_something_up(Client& client) {
  const std::vector<TopicId> topics = choose_topics();
  switch (choices_.below(4)) {
    case 0: {
      const auto back = static_cast<std::int64_t>(choices_.below(10'000));
      return locate(client, {.topics = topics, .what = storage::AtTime{world_.world().clock.wall_ms() - back}});
    }
    case 1: return find_newest(client, {topics, choose_position(), 1 + choices_.below(10)});
    default: return locate(client, {topics, choose_addresses(), storage::LastEvents{1 + choices_.below(40)}});
  }
}

void LaneLife::locate(Client& client, storage::LocateRequest request) {
  lane_->locate(client.loop, request, [this, &client, request](const storage::LocateReply& reply) {
    model_.answered(request, reply);
    act(client);
  });
}

void LaneLife::find_newest(Client& client, storage::NewestRequest request) {
  lane_->newest_per_address(client.loop, request, [this, &client, request](const storage::NewestReply& reply) {
    model_.answered(request, reply);
    act(client);
  });
}

std::optional<Sequence> LaneLife::choose_position() {
  const std::vector<Sequence> positions = model_.positions();
  switch (choices_.below(8)) {
    case 0: return std::nullopt;
    case 1: return 0;
    case 2: return lane_->durable() + 1'000'000 + choices_.below(1'000'000);
    case 3:
      if (const auto between = model_.between_runs()) return between;
      break;
    default: break;
  }
  if (positions.empty()) return lane_->durable();
  return positions[choices_.below(positions.size())];
}

bool LaneLife::read_everything() {
  for (const std::string& topic : model_.topics()) {
    const std::optional<TopicId> id = model_.id_of(topic);
    if (!id) continue;
    ++under_way_;
    clients_[0]->loop.post([this, id] { read_on(*id, std::nullopt, kRepliesPerTopicMax); });
  }
  return wait([this] { return under_way_ == 0; });
}

void LaneLife::read_on(TopicId topic, std::optional<Sequence> after, int replies_left) {
  if (replies_left == 0) return model_.blame("a topic has no end");
  const std::size_t bytes_max = choices_.one_in(2) ? 1 << 20 : 1 + choices_.below(20'000);
  ask(*clients_[0], {{topic}, after, bytes_max, {}}, [this, topic, replies_left](const ReadReply& reply) {
    switch (reply.status) {
      case ReadStatus::Read:
        if (reply.covered >= lane_->durable()) {
          --under_way_;
          return;
        }
        return read_on(topic, reply.covered, replies_left - 1);
      case ReadStatus::Damaged: return read_on(topic, reply.damaged_last, replies_left - 1);
      case ReadStatus::Trimmed: return read_on(topic, reply.complete_after, replies_left - 1);
      case ReadStatus::Ahead:
      case ReadStatus::Stopped: return model_.blame("a topic cannot be read to its end");
    }
  });
}

}  // namespace lane_sim
