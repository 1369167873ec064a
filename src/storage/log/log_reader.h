// SPDX-License-Identifier: Apache-2.0
#pragma once
// Serves reads of the log from its segments: plans on the lane's loop, where the index is, and takes the bytes apart
// on the loop that asked, so that a reader costs the writer little more than two messages. One piece of the file for
// each read; the caller's next read is the back-pressure.
//
// Of a read by address the index of addresses says which extents there are, segment by segment; by more than
// kAddressesPerReadMax of them it reads what the topics have, as if it had been asked for all.
//
// Thread: read() on the lane's loop; `done` is called on the loop `from`.
#include <functional>

#include "storage/log/address_reader.h"
#include "storage/log/extent_reader.h"
#include "storage/log/log.h"
#include "storage/log/read_ahead.h"
#include "storage/topic_table.h"

namespace storage {

inline constexpr std::size_t kAddressesPerReadMax = 64;  // looked up in an index
// Look-ups of a topic in a segment for one read, some 100 ns each. A reader of rare topics far behind passes over as
// many segments, is told so without an event, and asks again.
inline constexpr std::size_t kReadLookUpsMax = 8'192;

class LogReader final {
 public:
  using OnDamage = std::move_only_function<void(DamagedRange)>;

  // `on_damage` is called on the lane's loop when a reader finds damage that was not known.
  LogReader(io::Loop& lane_loop, Log& log, const TopicTable& topics, AddressReader& addresses, OnDamage on_damage)
      : loop_(lane_loop),
        log_(log),
        topics_(topics),
        addresses_(addresses),
        on_damage_(std::move(on_damage)),
        ahead_(lane_loop, log, kReadAheadBytesMax) {}

  void read(io::Loop& from, ReadRequest, Sequence durable, Lane::ReadDone);

  // Reads whose answer has not been posted yet.
  std::size_t under_way() const { return under_way_ + ahead_.under_way(); }

 private:
  struct Piece;
  struct Search;  // for the next event of some addresses

  ReadReply judge(const ReadRequest&, Sequence durable) const;
  std::optional<Piece> plan(const ReadRequest&, ReadReply&, Sequence durable) const;
  Piece piece_of(const ReadRequest&, ReadReply, Sequence readable_through, Segment&, const ExtentRange&) const;
  void search(Search);
  void on_addresses(Search, Segment&, Sequence readable_through, const AddressAnswer&);
  void submit(Piece);
  std::optional<FilePiece> next_of(const Piece&) const;
  void on_bytes(Piece, base::Result<std::string>);
  void on_unreadable(Piece);
  static void take_apart(Piece, std::string bytes, LogReader&);

  io::Loop& loop_;
  Log& log_;
  const TopicTable& topics_;
  AddressReader& addresses_;
  OnDamage on_damage_;
  ReadAhead ahead_;
  std::size_t under_way_ = 0;
};

}  // namespace storage
