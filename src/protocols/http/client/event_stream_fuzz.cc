// SPDX-License-Identifier: Apache-2.0
// An event stream in three arrivals: the result must be that of one. The first two bytes say where to cut.
#include <cstddef>
#include <cstdint>

#include "base/result.h"
#include "protocols/http/client/event_stream_transcript.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using protocols::http::transcribe_stream;
  if (size < 2) return 0;
  const base::Bytes bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::size_t first = data[0];
  const auto whole = transcribe_stream(bytes, {});
  CHECK(transcribe_stream(bytes, {first, first + data[1]}) == whole, "a split changes nothing");
  // The limit cuts a stream short, it never changes what came before.
  constexpr std::size_t kSmallBytes = 64;
  const auto bounded = transcribe_stream(bytes, {first, first + data[1]}, kSmallBytes);
  const auto fault = bounded.rfind("fault: ");
  CHECK(whole.starts_with(bounded.substr(0, fault)) || fault == std::string::npos, "a limit only cuts short");
  return 0;
}
