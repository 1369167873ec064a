// SPDX-License-Identifier: Apache-2.0
// Responses of any kind, in three arrivals: the result must be that of one. The first two bytes say where to cut, the
// third what is answered.
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "protocols/http/codec/transcript.h"

namespace protocols::http {
namespace {

void compare(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return;
  const Limits limits{.request_line_bytes_max = 256, .head_bytes_max = 1024, .fields_max = 8, .body_bytes_max = 512};
  const base::Bytes bytes(reinterpret_cast<const char*>(data) + 3, size - 3);
  const std::size_t first = data[0];
  const auto answers = data[2] % 2 == 0 ? Answers::Other : Answers::Head;
  const auto whole = transcribe_responses(bytes, {}, limits, answers);
  CHECK(transcribe_responses(bytes, {first, first + data[1]}, limits, answers) == whole, "a split changes nothing");
}

}  // namespace
}  // namespace protocols::http

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  protocols::http::compare(data, size);
  return 0;
}
