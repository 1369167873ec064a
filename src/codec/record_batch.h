// SPDX-License-Identifier: Apache-2.0
#pragma once
// Kafka RecordBatch v2 (magic 2), uncompressed, as the Kafka protocol documentation lays it out ("Record Batch" and
// "Record"); docs/formats/record_batch.md draws the bytes.
//
// A publisher encodes what does not depend on the place in the log once, as a *tail*: key, value and headers. The
// writer of a lane puts many tails into one batch. Views borrow the bytes that they were parsed from and allocate
// nothing. A value belongs to one thread at a time. Whatever is not well-formed is Errc::BadInput; compression and
// other magics are Errc::Unsupported.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace codec {

inline constexpr std::size_t kBatchHeaderBytes = 61;
inline constexpr std::size_t kBatchBytesMax = std::size_t{1} << 30;  // batchLength is a signed 32-bit number

struct Header {
  base::Bytes name;
  std::optional<base::Bytes> value;  // nothing: null, which is not the same as empty
};

// Appends key, value and headers. A key, value or header beyond 2 GiB is the caller's fault.
void append_record_tail(std::string& out, std::optional<base::Bytes> key, std::optional<base::Bytes> value,
                        std::span<const Header> headers);

// The same in steps, for headers that are made on the way: the start says how many headers follow.
void append_record_tail_start(std::string& out, std::optional<base::Bytes> key, std::optional<base::Bytes> value,
                              std::size_t header_count);
void append_record_header(std::string& out, base::Bytes name_prefix, base::Bytes name, base::Bytes value);

// Builds one batch after the other in a buffer that it keeps: start, add once or more, finish.
class BatchBuilder final {
 public:
  void start(std::int64_t base_offset, std::int64_t base_timestamp_ms);
  void add(std::int64_t timestamp_ms, base::Bytes tail);  // offsets are dense, in order of the calls
  std::string_view finish();                              // the whole batch; valid until the next start

  std::size_t size() const { return buffer_.size(); }  // bytes so far, header included
  std::int32_t count() const { return count_; }        // records so far

 private:
  std::string buffer_;
  std::int64_t base_timestamp_ms_ = 0;
  std::int64_t timestamp_ms_max_ = 0;
  std::int32_t count_ = 0;
};

// Reads the headers of one record, in order: while (headers.left() > 0) TRY(headers.next()).
class HeaderReader final {
 public:
  HeaderReader() = default;
  HeaderReader(base::Bytes bytes, std::size_t count) : bytes_(bytes), left_(count) {}

  std::size_t left() const { return left_; }
  base::Result<Header> next();  // after the last one nothing may follow

 private:
  base::Bytes bytes_;
  std::size_t left_ = 0;
};

struct RecordView {
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::optional<base::Bytes> key;
  std::optional<base::Bytes> value;
  HeaderReader headers;  // a copy of it starts at the first header again
  base::Bytes tail;      // what append_record_tail wrote
};

// Reads the records of one batch, in order: while (records.left() > 0) TRY(records.next()).
class RecordReader final {
 public:
  RecordReader() = default;
  RecordReader(base::Bytes bytes, std::int32_t count, std::int64_t base_offset, std::int64_t base_timestamp_ms)
      : bytes_(bytes), left_(count), base_offset_(base_offset), base_timestamp_ms_(base_timestamp_ms) {}

  std::int32_t left() const { return left_; }
  base::Result<RecordView> next();  // after the last one nothing may follow
  base::Result<void> skip();        // passes one record by its length alone

 private:
  base::Result<base::Bytes> take_record();

  base::Bytes bytes_;
  std::int32_t left_ = 0;
  std::int64_t base_offset_ = 0;
  std::int64_t base_timestamp_ms_ = 0;
};

enum class BatchCrc : std::uint8_t { Check, Skip };  // Skip where a checksum around the batch was checked already

class BatchView final {
 public:
  // The batch at the front of `bytes`; more may follow it. The records are checked when they are read.
  static base::Result<BatchView> parse(base::Bytes bytes, BatchCrc);

  std::int64_t base_offset() const { return base_offset_; }
  std::int64_t last_offset() const { return base_offset_ + count_ - 1; }
  std::int64_t base_timestamp_ms() const { return base_timestamp_ms_; }
  std::int64_t timestamp_ms_max() const { return timestamp_ms_max_; }
  std::int32_t count() const { return count_; }
  base::Bytes bytes() const { return bytes_; }  // the batch without what followed it
  RecordReader records() const { return {bytes_.substr(kBatchHeaderBytes), count_, base_offset_, base_timestamp_ms_}; }

 private:
  BatchView() = default;

  base::Bytes bytes_;
  std::int64_t base_offset_ = 0;
  std::int64_t base_timestamp_ms_ = 0;
  std::int64_t timestamp_ms_max_ = 0;
  std::int32_t count_ = 0;
};

}  // namespace codec
