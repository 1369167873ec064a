// SPDX-License-Identifier: Apache-2.0
#pragma once
// Copies a lane into a new directory, also while a server writes it: every commit up to one moment, and nothing behind
// it. The copy has a lock file of its own, so it is another history: its first start gives it an epoch of its own.
//
// All files that the newest segment's manifest names are opened before the first byte is copied, and what a handle
// names stays readable whatever the server removes meanwhile. The lock file comes last, when everything else is on the
// disk: a copy that was cut off is no lane, and no start takes it for one.
//
// Thread: one, synchronous. Takes no lock, and writes nothing to the source.
#include <cstdint>
#include <string>

#include "storage/log/tools/stopped_lane.h"

namespace storage {

struct Backup {
  std::size_t segments = 0;
  std::uint64_t bytes = 0;
  std::uint64_t epoch = 0;             // of the source
  CommitRecord last;                   // the newest commit that was copied
  Sequence end = 0;                    // of its last event
  std::vector<DamagedRange> damage;    // of the source; the copy has it too
  std::vector<std::string> left_out;   // files of the source that cannot be read as what they are
  std::uint64_t unreadable_bytes = 0;  // which are zeros in the copy
};

enum class BackupSide : std::uint8_t { Source, Target };

// `failed`: which directory an error is about. Errors of the source as open_stopped_lane(), but Errc::Again: it changed
// faster than it could be opened. Of the target: Errc::Conflict: it is not empty; Errc::NotFound: the directory above
// it is missing; Errc::System. What was copied before an error is removed again.
base::Result<Backup> back_up(io::FileSystem&, const std::string& source, const std::string& target, const OnProgress&,
                             BackupSide& failed);

}  // namespace storage
