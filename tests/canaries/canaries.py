# SPDX-License-Identifier: Apache-2.0
"""The list for run.py: faults of the kind that a log must not have, each as an edit of one source file."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Canary:
    name: str  # what the lane forgets
    file: str
    edits: tuple  # of (old text, new text); each old text stands exactly once in the file
    program: str = "tests/tw_lane_test"  # who must notice
    tests: str = "LaneFaults.*"  # of its tests: a filter for GoogleTest
    seeds: int = 3000


LOG = "src/storage/log/log.cc"
RECOVERY = "src/storage/log/recovery.cc"
REPLAY = "src/storage/log/segment_replay.cc"
SYNC = "  files.submit(loop_, {.kind = Kind::Sync, .handle = handle}, [this](auto reply) { on_synced(reply); });\n"
WRITTEN = "                 if (!reply) write_error_ = reply.error();\n"

CANARIES = [
    Canary(
        "no sync",
        LOG,
        ((SYNC, ""), (WRITTEN, WRITTEN + "                 on_synced(io::FileReply{});\n")),
    ),
    Canary(
        "acknowledges before the sync",
        LOG,
        (
            (SYNC, "  files.submit(loop_, {.kind = Kind::Sync, .handle = handle}, [](auto) {});\n"),
            (WRITTEN, WRITTEN + "                 on_synced(io::FileReply{});\n"),
        ),
    ),
    Canary(
        "does not check the commit of a group",
        "src/storage/log/format.cc",
        (
            ("if (record->kind == RecordKind::Commit) {", "if (record->kind == RecordKind::Commit || record->kind == RecordKind::Batch) {"),
        ),
    ),
    Canary(
        "serves the recovered tail without writing it again",
        REPLAY,
        (("proven_ = std::max(proven_, synced);", "proven_ = std::max(proven_, last_.number);"),),
    ),
    Canary(
        "appends to a segment that was cut",
        LOG,
        (("  if (!reply || (write_error_ && !is_out_of_space(*write_error_))) return fail();", "  if (!reply) return finish(Persisted::NoSpace);"),),
    ),
    Canary(
        "forgets complete_after",
        "src/storage/log/lane_state.cc",
        (("append_le(out, state.topics[i].complete_after);", "append_le(out, Sequence{0});"),),
    ),
    Canary(
        "forgets the ids of the window",
        RECOVERY,
        (("recovered.repeats = std::move(found_.repeats);", ""),),
    ),
    Canary(
        "ignores a failed sync of the directory",
        LOG,
        (
            (
                "  if (!outcome.error) {\n    begin_segment(",
                "  if (!outcome.error || outcome.failed_step == rotation.sync_step + 2) {\n    begin_segment(",
            ),
        ),
    ),
    Canary(
        "fills zeros over claimed bytes",
        LOG,
        (("  filled_to_ = std::max(filled_to_, newest().end_offset + block.bytes.size());\n", ""),),
    ),
    Canary(
        "gives numbers again after a lost tail",
        RECOVERY,
        (("  return next_sequence - 1 + gaps * limits_.run_gap;", "  return next_sequence;"),),
    ),
    Canary(
        "begins a segment without the lane's state",
        LOG,
        (("encode_segment_start(header, state, commit)", "encode_segment_start(header, LaneState{.manifest = state.manifest}, commit)"),),
    ),
    Canary(
        "counts a group twice after a crash in recovery",
        "src/storage/log/sealed_segment.cc",
        (("    request.until = end.last_commit;\n", ""),),
    ),
    Canary(
        "counts a recovery that was not finished",
        "src/storage/log/survey.cc",
        (("return !is_complete && replayed.newest_known_synced < header.continues + 1 + header.copies;", "return false;"),),
        program="tests/tw_storage_test",
        tests="RecoveryDamageTest.*",
    ),
]
