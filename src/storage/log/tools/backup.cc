// SPDX-License-Identifier: Apache-2.0
#include "storage/log/tools/backup.h"

#include <algorithm>
#include <utility>

#include "storage/log/sealed_segment.h"
#include "storage/log/tools/fork.h"

namespace storage {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr int kAttempts = 8;  // to open a lane that changes meanwhile
constexpr std::size_t kCopyBytes = 1u << 20;

// The newest segment with the place behind its last group that the survey knows.
struct Newest {
  std::string name;
  OpenFile file;
  std::uint64_t end_offset = 0;
};

struct Source {
  Survey survey;
  LaneState state;  // at its end
  Newest newest;
};

Result<std::uint64_t> find_end(const OpenFile& file, std::uint64_t file_bytes, const SegmentHeader& header,
                               CommitNumber last) {
  SegmentScan scan(file, file_bytes, header.seed());
  std::uint64_t end = kFirstGroupAt;
  while (true) {
    const ScanStep step = TRY(scan.next());
    if (std::holds_alternative<ScanEnd>(step)) return end;
    const auto* scanned = std::get_if<ScannedGroup>(&step);
    if (scanned == nullptr) continue;
    // A segment without a group behind the lane state begins behind the last commit of the survey.
    if (scanned->group.commit.number > last && end > kFirstGroupAt) return end;
    end = scanned->offset + scanned->group.bytes();
  }
}

Result<Newest> open_newest(const Directory& directory, const Survey& survey) {
  const std::string name = segment_name(survey.newest->number);
  SegmentFile opened = TRY(open_segment_file(directory, name, io::OpenMode::ExistingRead));
  if (!opened.header || opened.header->id != survey.newest->id) {
    return fail(Errc::NotFound, "a segment has gone meanwhile");
  }
  Newest newest{name, std::move(opened.file)};
  newest.end_offset = TRY(find_end(newest.file, opened.bytes, *opened.header, survey.last.number));
  return newest;
}

bool same_damage(const std::optional<std::vector<DamagedRange>>& before, const Survey& survey) {
  return before && *before == survey.new_damage;
}

// A server that rotates or removes segments meanwhile makes a file seem lost. What is really damaged is found twice.
Result<Source> open_source(const Directory& directory) {
  std::optional<std::vector<DamagedRange>> damage_before;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    TRY(directory.names());  // a directory that is not there is no reason to try again
    Result<Survey> found = survey(directory.file_system(), directory.path(), {});
    if (!found && found.error().code == Errc::NotFound) continue;
    if (!found) return std::unexpected(found.error());
    if (found->history == Survey::History::None) return fail(Errc::Invalid, "the directory holds no lane");
    if (!found->newest) return fail(Errc::BadInput, "no segment of this directory can be read");
    const bool is_settled = found->new_damage.empty() || same_damage(damage_before, *found);
    damage_before = found->new_damage;
    if (!is_settled) continue;
    LaneState state = TRY(state_at_end(*found));
    Result<Newest> newest = open_newest(directory, *found);
    if (newest) return Source{std::move(*found), std::move(state), std::move(*newest)};
    if (newest.error().code != Errc::NotFound) return std::unexpected(newest.error());
  }
  return fail(Errc::Again, "the lane changes faster than it can be opened");
}

class Copier final {
 public:
  Copier(const Source& source, Directory target, const OnProgress& on_progress)
      : source_(source), target_(std::move(target)), on_progress_(on_progress) {
    for (const SurveyedSegment& segment : source.survey.segments) {
      if (segment.name != source.newest.name) bytes_all_ += segment.file_bytes;
    }
    bytes_all_ += source.newest.end_offset;
  }

  Result<void> run();
  BackupSide failed() const { return failed_; }  // with an error
  void clean_up() const;
  std::size_t segments() const { return names_.size(); }
  std::uint64_t bytes() const { return bytes_; }
  std::uint64_t unreadable_bytes() const { return unreadable_bytes_; }

 private:
  Result<void> copy(const std::string& name, const OpenFile& from, std::uint64_t bytes, const SurveyedSegment*);
  Result<std::uint64_t> copy_bytes(const OpenFile& from, std::uint64_t bytes, const OpenFile& to);
  static Result<void> cut_footer(const OpenFile&, std::uint64_t bytes, const SegmentHeader&);
  Result<void> complete() const;

  const Source& source_;
  const Directory target_;
  const OnProgress& on_progress_;
  std::vector<std::string> names_;  // copied
  std::uint64_t bytes_all_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t unreadable_bytes_ = 0;
  BackupSide failed_ = BackupSide::Target;
};

Result<void> Copier::run() {
  const Newest& newest = source_.newest;
  TRY(copy(newest.name, newest.file, newest.end_offset, nullptr));
  for (const SurveyedSegment& segment : source_.survey.segments) {
    if (segment.name == newest.name) continue;
    TRY(copy(segment.name, segment.file, segment.file_bytes, &segment));
  }
  return complete();
}

Result<void> Copier::copy(const std::string& name, const OpenFile& from, std::uint64_t bytes,
                          const SurveyedSegment* sealed) {
  const OpenFile to = TRY(target_.open(name, io::OpenMode::CreateNew));
  names_.push_back(name);
  const std::uint64_t copied = TRY(copy_bytes(from, bytes, to));
  // A footer that was written while it was copied may lack a part. The first start of the copy makes it anew.
  if (sealed != nullptr && sealed->footer == OpenSegment::Footer::Missing) {
    TRY(cut_footer(to, copied, sealed->header));
  }
  return to.sync();
}

// Returns how many there were: zeros at the end of the file may be cut off meanwhile.
Result<std::uint64_t> Copier::copy_bytes(const OpenFile& from, std::uint64_t bytes, const OpenFile& to) {
  std::uint64_t at = 0;
  while (at < bytes) {
    const auto read = from.read_around_rot(at, std::min<std::uint64_t>(kCopyBytes, bytes - at), unreadable_bytes_);
    if (!read) {
      failed_ = BackupSide::Source;
      return std::unexpected(read.error());
    }
    if (read->empty()) break;
    TRY(to.write(at, *read));
    at += read->size();
    bytes_ += read->size();
    on_progress_(bytes_, bytes_all_);
  }
  return at;
}

Result<void> Copier::cut_footer(const OpenFile& file, std::uint64_t bytes, const SegmentHeader& header) {
  const auto trailer = read_footer_trailer(file, bytes, header);
  return trailer ? file.truncate(trailer->groups_end) : Result<void>();
}

// Only now is it a lane.
Result<void> Copier::complete() const {
  TRY(target_.sync());
  return make_new_lock(target_);
}

// What cannot be removed is left to whoever reads the error.
void Copier::clean_up() const {
  static_cast<void>(target_.remove(kLockFileName));
  for (const std::string& name : names_) static_cast<void>(target_.remove(name));
}

Result<void> make_target(const Directory& target) {
  TRY(target.make());
  if (!TRY(target.names()).empty()) return fail(Errc::Conflict, "the directory is not empty");
  return {};
}

}  // namespace

Result<Backup> back_up(io::FileSystem& file_system, const std::string& source_path, const std::string& target_path,
                       const OnProgress& on_progress, BackupSide& failed) {
  failed = BackupSide::Source;
  const Source source = TRY(open_source(Directory(file_system, source_path)));
  failed = BackupSide::Target;
  const Directory target(file_system, target_path);
  TRY(make_target(target));
  Copier copier(source, target, on_progress);
  if (const auto copied = copier.run(); !copied) {
    failed = copier.failed();
    copier.clean_up();
    return std::unexpected(copied.error());
  }
  return Backup{.segments = copier.segments(),
                .bytes = copier.bytes(),
                .epoch = source.state.identity.epoch,
                .last = source.survey.last,
                .end = source.state.end(),
                .damage = source.state.damage,
                .left_out = source.survey.unreadable,
                .unreadable_bytes = copier.unreadable_bytes()};
}

}  // namespace storage
