// SPDX-License-Identifier: Apache-2.0
#pragma once
// Reads one page of events from the lane, oldest first, without subscribing: what a JSON page and a long poll begin
// with.
//
// Thread: one loop. Lifetime: owned by a protocol session; destroying it before the answer drops the answer. The events
// handed over are views that are valid during the call.
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"

namespace engine {

inline constexpr std::size_t kPageDataBytesMax = 4 << 20;   // of the events' data
inline constexpr std::size_t kPageScanBytesMax = 16 << 20;  // of the log that is looked at for one page

struct PageRequest {
  AddressSet addresses;  // of durable channels
  Start start;
  std::size_t events_max;
  OnReset on_reset = OnReset::Latest;  // what a refusal names as the place to go on
};

class PageSink {
 public:
  virtual void on_event(const Event&) = 0;
  // After the last event: everything up to `cursor` was looked at.
  virtual void on_page(Cursor) = 0;
  virtual void on_refusal(const Reset&) = 0;

 protected:
  ~PageSink() = default;
};

class PageReader final {
 public:
  PageReader(Engine&, PageRequest, PageSink&);
  ~PageReader();
  PageReader(const PageReader&) = delete;
  PageReader& operator=(const PageReader&) = delete;

  void start();  // once; the sink is called later

 private:
  struct Alive;
  enum class Taken : std::uint8_t { All, Enough };

  void ask(std::optional<storage::Sequence> after);
  void on_read(const storage::ReadReply&);
  void refuse(ResetReason, storage::Sequence earliest);
  Taken take(const storage::Block&);
  Taken take(const storage::Entry&);
  Taken take(const Event&);

  Engine& engine_;
  PageRequest request_;
  PageSink& sink_;
  std::shared_ptr<Alive> alive_;
  std::optional<ResetReason> refusal_;
  storage::Sequence position_ = 0;
  storage::Sequence target_ = 0;  // what was durable when the page was asked for
  bool begun_ = false;            // the lane had everything behind the start
  std::size_t events_ = 0;
  std::size_t data_bytes_ = 0;
  std::size_t scanned_bytes_ = 0;
};

}  // namespace engine
