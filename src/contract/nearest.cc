// SPDX-License-Identifier: Apache-2.0
#include "contract/nearest.h"

#include <algorithm>
#include <array>

namespace contract {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Levenshtein distance without regard to case; both words are within kNearestWordBytesMax.
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::size_t, kNearestWordBytesMax + 1> row{};
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known) {
  if (word.size() > kNearestWordBytesMax) return {};
  std::string_view best;
  std::size_t best_distance = (word.size() + 2) / 3 + 1;
  for (std::size_t i = 0; i < std::min(known.size(), kNearestKnownMax); ++i) {
    const std::string_view candidate = known[i];
    if (candidate.size() > kNearestWordBytesMax) continue;
    const std::size_t d = distance(word, candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& known) {
  const std::string_view candidate = nearest(word, known);
  if (candidate.empty()) return {};
  return ", did you mean '" + std::string(candidate) + "'";
}

}  // namespace contract
