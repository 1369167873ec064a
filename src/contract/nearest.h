// SPDX-License-Identifier: Apache-2.0
#pragma once
// The known name that a misspelt one was most likely meant to be, for "did you mean" in findings.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace contract {

inline constexpr std::size_t kNearestWordBytesMax = 64;  // longer words are not compared
inline constexpr std::size_t kNearestKnownMax = 1'000;   // only so many known names are looked at

// Empty if none is near: at most a third of the word's letters, rounded up, may differ.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

// ", did you mean 'x'" or nothing, to stand at the end of a sentence.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace contract
