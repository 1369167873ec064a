// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/page.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "codec/cloudevents.h"
#include "codec/json_writer.h"
#include "protocols/http/errors.h"

namespace protocols::http {

namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

// Reads what is there; with nothing there and time to wait, subscribes behind it and answers with the first arrival.
class Page final : public Operation, private engine::PageSink, private engine::Subscriber {
 public:
  Page(Exchange& exchange, engine::Engine& engine, engine::Member member, const ReadQuery& query)
      : exchange_(exchange),
        engine_(engine),
        member_(std::move(member)),
        query_(query),
        timer_([](void* self) { static_cast<Page*>(self)->finish(); }, this) {}

  void start() {
    const engine::Start start = query_.after.value_or(engine::Start(engine::Earliest{}));
    if (member_.channel->is_ephemeral()) return start_ephemeral(start);
    reader_.emplace(engine_, engine::PageRequest{engine::AddressSet({member_}), start, query_.limit, query_.on_reset},
                    static_cast<engine::PageSink&>(*this));
    reader_->start();
  }

  void on_peer_ended() override { stop_waiting(); }
  void on_shutdown() override { stop_waiting(); }

 private:
  // A page that is still being read is answered whole: cut off it would have no cursor.
  void stop_waiting() {
    query_.wait_seconds = 0;
    if (subscription_) finish();
  }

  // Nothing is kept of an ephemeral channel: a page of it is what arrives meanwhile.
  void start_ephemeral(const engine::Start& start) {
    if (query_.after && !std::holds_alternative<engine::Latest>(start)) {
      const engine::Cursor latest = engine_.latest();
      return answer(gone_answer({engine::ResetReason::NotRetained, latest, latest, latest}));
    }
    cursor_ = engine_.latest();
    wait_for_more(engine::Latest{});
  }

  void on_event(const engine::Event& event) override {
    if (!events_.empty()) events_ += ',';
    cursor_token_.clear();
    if (!event.is_ephemeral()) engine_.cursor(event.sequence).append_token(cursor_token_);
    codec::append_event_json(events_, event.content, cursor_token_);
    ++count_;
  }

  void on_page(engine::Cursor cursor) override {
    cursor_ = cursor;
    if (count_ > 0) return finish();
    // What is behind the position, of a bounded scan too, is the subscription's.
    wait_for_more(cursor_);
  }

  void on_refusal(const engine::Reset& refusal) override { answer(gone_answer(refusal)); }

  void wait_for_more(const engine::Start& after) {
    if (query_.wait_seconds == 0 || exchange_.head().method() == Method::Head) return finish();
    engine_.loop().set_timer(timer_, query_.wait_seconds * kNsPerSecond);
    subscription_.emplace(engine_, std::vector{member_}, after, query_.on_reset,
                          static_cast<engine::Subscriber&>(*this));
    subscription_->start();
  }

  void on_started(const engine::Started& started) override {
    if (started.reset) answer(gone_answer({*started.reset, started.cursor, started.earliest, started.latest}));
  }

  // Retention overtook it: to go on behind the gap would hide it.
  void on_reset(const engine::Reset& reset) override { answer(gone_answer(reset)); }

  bool deliver(std::span<const engine::Event> run) override {
    if (answered_) return false;
    for (const engine::Event& event : run) {
      if (count_ == query_.limit) break;
      on_event(event);
      if (!event.is_ephemeral()) cursor_ = engine_.cursor(event.sequence);
    }
    finish();
    return true;
  }

  // The exchange may be gone with its answer, while this object lives on until the end of the turn.
  void answer(Answer answer) {
    if (std::exchange(answered_, true)) return;
    timer_.cancel();
    exchange_.answer(std::move(answer));
  }

  void finish() {
    if (answered_) return;
    // On time-out nothing came, so the position may have moved past what did not match. Before the first signal it has
    // none.
    if (subscription_ && count_ == 0) cursor_.sequence = std::max(cursor_.sequence, subscription_->position().sequence);
    Answer page{200, "application/json", {}, {}};
    page.body.reserve(events_.size() + 128);
    page.body = "{\"events\":[";
    page.body += events_;
    page.body += "],\"cursor\":\"";
    cursor_.append_token(page.body);
    // Nothing is kept of an ephemeral channel, so there is nothing to catch up with.
    const bool up_to_date = member_.channel->is_ephemeral() || cursor_.sequence >= engine_.lane().durable();
    page.body += up_to_date ? "\",\"up_to_date\":true" : "\",\"up_to_date\":false";
    if (member_.channel->is_ephemeral()) {
      page.body += ",\"live_only\":[";
      codec::json::append_string(page.body, member_.address);
      page.body += ']';
    }
    page.body += '}';
    page.fields.emplace_back("Tidewire-Cursor", cursor_.token());
    answer(std::move(page));
  }

  Exchange& exchange_;
  engine::Engine& engine_;
  engine::Member member_;
  ReadQuery query_;
  io::Timer timer_;
  std::optional<engine::PageReader> reader_;
  std::optional<engine::Subscription> subscription_;
  std::string events_;
  std::string cursor_token_;
  std::size_t count_ = 0;
  engine::Cursor cursor_;
  bool answered_ = false;
};

}  // namespace

void answer_page(const ExchangePtr& exchange, engine::Engine& engine, engine::Member member, const ReadQuery& query) {
  auto page = std::make_unique<Page>(*exchange, engine, std::move(member), query);
  Page& started = *page;
  exchange->keep(std::move(page));
  started.start();
}

}  // namespace protocols::http
