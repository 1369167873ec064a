// SPDX-License-Identifier: Apache-2.0
#include "contract/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "contract/limits.h"

namespace contract {

void Findings::error(const Where& where, std::string_view rule, std::string sentence) {
  ++errors_;
  add({where, Severity::Error, std::string(rule), std::move(sentence)});
}

void Findings::warning(const Where& where, std::string_view rule, std::string sentence) {
  add({where, Severity::Warning, std::string(rule), std::move(sentence)});
}

void Findings::note(const Where& where, std::string_view rule, std::string sentence) {
  add({where, Severity::Note, std::string(rule), std::move(sentence)});
}

void Findings::add(Finding finding) {
  if (finding.sentence.size() > kSentenceBytesMax) {
    std::size_t end = kSentenceBytesMax;
    while (end > 0 && (static_cast<unsigned char>(finding.sentence[end]) & 0xc0) == 0x80) --end;
    finding.sentence = finding.sentence.substr(0, end) + "...";
  }
  if (findings_.size() < kFindingsMax) {
    findings_.push_back(std::move(finding));
    return;
  }
  ++left_out_;
  if (finding.severity != Severity::Error) return;
  // An error is never hidden behind warnings: it takes the place of the last finding that is none.
  const auto last = std::find_if(findings_.rbegin(), findings_.rend(),
                                 [](const Finding& other) { return other.severity != Severity::Error; });
  if (last != findings_.rend()) *last = std::move(finding);
}

std::vector<Finding> Findings::take() {
  std::map<std::string, std::size_t> file_order;
  for (const Finding& finding : findings_) file_order.emplace(finding.where.file, file_order.size());
  std::sort(findings_.begin(), findings_.end(), [&](const Finding& a, const Finding& b) {
    const auto order = [&](const Finding& f) {
      return std::tuple(file_order[f.where.file], f.where.line, f.where.column, f.severity, std::string_view(f.rule),
                        std::string_view(f.sentence));
    };
    return order(a) < order(b);
  });
  findings_.erase(std::unique(findings_.begin(), findings_.end()), findings_.end());
  if (left_out_ > 0) {
    const Severity severity = errors_ > 0 ? Severity::Error : Severity::Warning;
    const Where where{findings_.front().where.file, 0, 0};
    findings_.push_back({where, severity, "contract/findings",
                         fmt::format("{} more findings are left out: mend the ones above first", left_out_)});
  }
  errors_ = 0;
  left_out_ = 0;
  return std::exchange(findings_, {});
}

}  // namespace contract
