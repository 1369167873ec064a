// SPDX-License-Identifier: Apache-2.0
#pragma once
// The limits within which a contract is read. Beyond each of them the contract is refused with a located finding.
#include <cstddef>
#include <cstdint>

namespace contract {

inline constexpr std::size_t kFileBytesMax = 16u << 20;
inline constexpr std::size_t kContractBytesMax = 64u << 20;
inline constexpr std::size_t kFilesMax = 1'000;
inline constexpr std::size_t kNodesMax = 2'000'000;      // values in all files of a contract
inline constexpr std::size_t kDepthMax = 64;             // nested sequences and mappings in one file
inline constexpr std::size_t kReferenceHopsMax = 64;     // from one `$ref` to a value that is none
inline constexpr std::size_t kFindingsMax = 1'000;       // of one load; the rest is counted
inline constexpr std::size_t kSentenceBytesMax = 1'024;  // of one finding; the rest is cut off

inline constexpr std::size_t kMessageNameBytesMax = 256;
inline constexpr std::uint32_t kPartitionsMax = 1'024;
inline constexpr std::size_t kAddressBytesMax = 1'024;
inline constexpr std::size_t kAddressParametersMax = 8;
inline constexpr std::size_t kParameterValueBytesMax = 256;

}  // namespace contract
