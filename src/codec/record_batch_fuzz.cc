// SPDX-License-Identifier: Apache-2.0
// Feeds the record batch decoder, and the CloudEvents reading on top of it, with anything.
#include <cstddef>
#include <cstdint>

#include "codec/cloudevents.h"
#include "codec/record_batch.h"

namespace {

void walk(base::Bytes bytes, codec::BatchCrc crc) {
  const auto batch = codec::BatchView::parse(bytes, crc);
  if (!batch) return;
  codec::RecordReader records = batch->records();
  while (records.left() > 0) {
    auto record = records.next();
    if (!record) return;
    static_cast<void>(codec::event_of(*record));
    while (record->headers.left() > 0) {
      if (!record->headers.next()) return;
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes bytes(reinterpret_cast<const char*>(data), size);
  walk(bytes, codec::BatchCrc::Check);
  walk(bytes, codec::BatchCrc::Skip);
  return 0;
}
