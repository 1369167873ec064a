// SPDX-License-Identifier: Apache-2.0
#include "storage/log/group_reader.h"

#include <utility>

#include "base/crc32c.h"

namespace storage {

using base::Bytes;
using base::Errc;
using base::fail;

void GroupReader::append(Bytes piece) {
  bytes_.erase(0, std::exchange(begin_, 0));
  bytes_ += piece;
}

base::Result<GroupView> GroupReader::next() {
  if (verified_ == 0) records_crc_ = seed_.value();
  const Bytes group = Bytes(bytes_).substr(begin_);
  while (true) {
    const auto record = parse_record(group.substr(verified_), seed_);
    if (!record && record.error().code == Errc::TooLarge && read_bytes_max() > 0)
      return std::unexpected(record.error());
    if (!record) return fail(Errc::BadInput, "a group is damaged");
    if (record->kind == RecordKind::Commit) {
      const CommitRecord commit = parse_commit(*record);
      if (commit.records != records_ || commit.bytes != verified_ || commit.records_crc != records_crc_) {
        return fail(Errc::BadInput, "a commit does not fit its group");
      }
      const GroupView view{group.substr(0, std::exchange(verified_, 0)), commit};
      records_ = 0;
      begin_ += view.bytes();
      offset_ += view.bytes();
      return view;
    }
    ++records_;
    records_crc_ = base::crc32c(record->bytes.substr(0, sizeof(std::uint32_t)), records_crc_);
    verified_ += record->bytes.size();
  }
}

}  // namespace storage
