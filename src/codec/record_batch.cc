// SPDX-License-Identifier: Apache-2.0
#include "codec/record_batch.h"

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstring>
#include <limits>

#include "base/crc32c.h"
#include "base/varint.h"

namespace codec {

using base::Bytes;
using base::Errc;
using base::fail;
using base::Result;

namespace {

// Where the fields of the batch header begin; all of them are big-endian.
enum Field : std::size_t {
  BaseOffset = 0,             // i64
  BatchLength = 8,            // i32, bytes that follow this field
  PartitionLeaderEpoch = 12,  // i32, outside the checksum
  Magic = 16,                 // i8
  Crc = 17,                   // u32, of everything from Attributes on
  Attributes = 21,            // i16
  LastOffsetDelta = 23,       // i32
  BaseTimestamp = 27,         // i64
  MaxTimestamp = 35,          // i64
  ProducerId = 43,            // i64
  ProducerEpoch = 51,         // i16
  BaseSequence = 53,          // i32
  RecordCount = 57,           // i32
};

constexpr std::size_t kLengthEnd = Field::PartitionLeaderEpoch;
constexpr char kMagic = 2;
constexpr std::uint16_t kAttributeCompressionMask = 0x07;
constexpr std::uint16_t kAttributeControl = 0x20;
constexpr char kRecordAttributes = 0;
// length, attributes, timestampDelta, offsetDelta, null key, null value, no headers
constexpr std::size_t kRecordBytesMin = 7;

template <std::integral T>
void store(std::string& out, std::size_t at, T value) {
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  std::memcpy(out.data() + at, &value, sizeof value);
}

template <std::integral T>
T load(Bytes from, std::size_t at) {
  T value;
  std::memcpy(&value, from.data() + at, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
  return value;
}

// Deltas may wrap for a hostile batch; unsigned arithmetic makes that harmless.
std::int64_t add_wrapping(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

void append_sized(std::string& out, std::optional<Bytes> bytes) {
  if (!bytes) return base::append_varint(out, -1);
  base::append_varint(out, static_cast<std::int64_t>(bytes->size()));
  out.append(*bytes);
}

Result<Bytes> take(Bytes& in, std::int32_t size) {
  if (size < 0 || static_cast<std::size_t>(size) > in.size()) {
    return fail(Errc::BadInput, "a length in a record points outside of it");
  }
  const Bytes taken = in.substr(0, static_cast<std::size_t>(size));
  in.remove_prefix(taken.size());
  return taken;
}

Result<std::optional<Bytes>> take_sized(Bytes& in) {
  const std::int32_t size = TRY(base::take_varint32(in));
  if (size == -1) return std::optional<Bytes>();
  return std::optional<Bytes>(TRY(take(in, size)));
}

}  // namespace

void append_record_tail_start(std::string& out, std::optional<Bytes> key, std::optional<Bytes> value,
                              std::size_t header_count) {
  append_sized(out, key);
  append_sized(out, value);
  base::append_varint(out, static_cast<std::int64_t>(header_count));
}

void append_record_header(std::string& out, Bytes name_prefix, Bytes name, Bytes value) {
  base::append_varint(out, static_cast<std::int64_t>(name_prefix.size() + name.size()));
  out.append(name_prefix);
  out.append(name);
  append_sized(out, value);
}

void append_record_tail(std::string& out, std::optional<Bytes> key, std::optional<Bytes> value,
                        std::span<const Header> headers) {
  append_record_tail_start(out, key, value, headers.size());
  for (const Header& header : headers) {
    append_sized(out, header.name);
    append_sized(out, header.value);
  }
}

void BatchBuilder::start(std::int64_t base_offset, std::int64_t base_timestamp_ms) {
  base_timestamp_ms_ = base_timestamp_ms;
  timestamp_ms_max_ = std::numeric_limits<std::int64_t>::min();
  count_ = 0;
  buffer_.assign(kBatchHeaderBytes, '\0');
  store(buffer_, Field::BaseOffset, base_offset);
  buffer_[Field::Magic] = kMagic;
  store(buffer_, Field::BaseTimestamp, base_timestamp_ms);
  store(buffer_, Field::ProducerId, std::int64_t{-1});
  store(buffer_, Field::ProducerEpoch, std::int16_t{-1});
  store(buffer_, Field::BaseSequence, std::int32_t{-1});
}

void BatchBuilder::add(std::int64_t timestamp_ms, Bytes tail) {
  CHECK(!buffer_.empty() && buffer_.size() + tail.size() + 32 <= kBatchBytesMax, "a record batch exceeds its limit");
  const std::int64_t timestamp_delta = timestamp_ms - base_timestamp_ms_;
  const std::size_t size =
      sizeof kRecordAttributes + base::varint_size(timestamp_delta) + base::varint_size(count_) + tail.size();
  base::append_varint(buffer_, static_cast<std::int64_t>(size));
  buffer_ += kRecordAttributes;
  base::append_varint(buffer_, timestamp_delta);
  base::append_varint(buffer_, count_);
  buffer_.append(tail);
  timestamp_ms_max_ = std::max(timestamp_ms_max_, timestamp_ms);
  ++count_;
}

std::string_view BatchBuilder::finish() {
  CHECK(count_ > 0, "a record batch holds at least one record");
  store(buffer_, Field::BatchLength, static_cast<std::int32_t>(buffer_.size() - kLengthEnd));
  store(buffer_, Field::LastOffsetDelta, count_ - 1);
  store(buffer_, Field::MaxTimestamp, timestamp_ms_max_);
  store(buffer_, Field::RecordCount, count_);
  store(buffer_, Field::Crc, base::crc32c(Bytes(buffer_).substr(Field::Attributes)));
  return buffer_;
}

Result<Header> HeaderReader::next() {
  CHECK(left_ > 0, "a header is read behind the last one");
  const std::optional<Bytes> name = TRY(take_sized(bytes_));
  if (!name) return fail(Errc::BadInput, "a record header has no name");
  const std::optional<Bytes> value = TRY(take_sized(bytes_));
  if (--left_ == 0 && !bytes_.empty()) return fail(Errc::BadInput, "a record is longer than its headers");
  return Header{*name, value};
}

Result<Bytes> RecordReader::take_record() {
  CHECK(left_ > 0, "a record is read behind the last one");
  const std::int32_t size = TRY(base::take_varint32(bytes_));
  const Bytes record = TRY(take(bytes_, size));
  if (--left_ == 0 && !bytes_.empty()) return fail(Errc::BadInput, "a record batch is longer than its records");
  return record;
}

Result<void> RecordReader::skip() {
  TRY(take_record());
  return {};
}

Result<RecordView> RecordReader::next() {
  Bytes in = TRY(take_record());
  TRY(take(in, sizeof kRecordAttributes));  // no attribute of a record is defined
  const std::int64_t timestamp_delta = TRY(base::take_varint(in));
  const std::int32_t offset_delta = TRY(base::take_varint32(in));
  RecordView record;
  record.offset = add_wrapping(base_offset_, offset_delta);
  record.timestamp_ms = add_wrapping(base_timestamp_ms_, timestamp_delta);
  record.tail = in;
  record.key = TRY(take_sized(in));
  record.value = TRY(take_sized(in));
  const std::int32_t headers = TRY(base::take_varint32(in));
  // A header takes two bytes at least, so a count can be refused before anything is read.
  if (headers < 0 || static_cast<std::size_t>(headers) > in.size() / 2 || (headers == 0 && !in.empty())) {
    return fail(Errc::BadInput, "a record has an impossible number of headers");
  }
  record.headers = HeaderReader(in, static_cast<std::size_t>(headers));
  return record;
}

Result<BatchView> BatchView::parse(Bytes bytes, BatchCrc crc) {
  if (bytes.size() < kBatchHeaderBytes) return fail(Errc::BadInput, "a record batch ends early");
  const auto length = load<std::int32_t>(bytes, Field::BatchLength);
  if (length < static_cast<std::int32_t>(kBatchHeaderBytes - kLengthEnd)) {
    return fail(Errc::BadInput, "a record batch is shorter than its header");
  }
  if (bytes[Field::Magic] != kMagic) return fail(Errc::Unsupported, "a record batch has another magic than 2");
  if (static_cast<std::size_t>(length) > bytes.size() - kLengthEnd) {
    return fail(Errc::BadInput, "a record batch ends early");
  }
  BatchView view;
  view.bytes_ = bytes.substr(0, kLengthEnd + static_cast<std::size_t>(length));
  if (crc == BatchCrc::Check &&
      load<std::uint32_t>(bytes, Field::Crc) != base::crc32c(view.bytes_.substr(Field::Attributes))) {
    return fail(Errc::BadInput, "a record batch does not match its checksum");
  }
  const auto attributes = load<std::uint16_t>(bytes, Field::Attributes);
  if ((attributes & kAttributeCompressionMask) != 0) return fail(Errc::Unsupported, "a record batch is compressed");
  if ((attributes & kAttributeControl) != 0) return fail(Errc::Unsupported, "a record batch holds control records");
  view.base_offset_ = load<std::int64_t>(bytes, Field::BaseOffset);
  view.base_timestamp_ms_ = load<std::int64_t>(bytes, Field::BaseTimestamp);
  view.timestamp_ms_max_ = load<std::int64_t>(bytes, Field::MaxTimestamp);
  view.count_ = load<std::int32_t>(bytes, Field::RecordCount);
  const std::size_t room = (view.bytes_.size() - kBatchHeaderBytes) / kRecordBytesMin;
  if (view.count_ < 1 || static_cast<std::size_t>(view.count_) > room) {
    return fail(Errc::BadInput, "a record batch has an impossible number of records");
  }
  if (view.base_offset_ < 0 || view.base_offset_ > std::numeric_limits<std::int64_t>::max() - view.count_) {
    return fail(Errc::BadInput, "a record batch has an impossible base offset");
  }
  if (load<std::int32_t>(bytes, Field::LastOffsetDelta) != view.count_ - 1) {
    return fail(Errc::BadInput, "a record batch has holes between its offsets");
  }
  return view;
}

}  // namespace codec
