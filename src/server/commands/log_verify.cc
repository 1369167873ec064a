// SPDX-License-Identifier: Apache-2.0
#include "server/commands/log.h"
#include "server/commands/log_failure.h"
#include "server/commands/progress_line.h"
#include "server/exit_code.h"
#include "storage/log/tools/verify.h"

namespace server {

namespace {

using storage::StoppedLane;
using storage::Verification;

std::string losses_text(const StoppedLane& lane, const storage::VerifiedDamage& damage) {
  if (damage.lost.empty()) return "it is not known of which topics";
  std::string text;
  for (const storage::LostEvents& lost : damage.lost) {
    text += (text.empty() ? "up to " : ", up to ") + std::to_string(lost.events_max) + " of `" +
            lane.topic(lost.topic).identity + "`";
  }
  return text;
}

std::string report(const StoppedLane& lane, const Verification& verified) {
  std::string out;
  for (const storage::VerifiedDamage& damage : verified.damage) {
    out += "damage: " + events_text(damage.range) + ": " + losses_text(lane, damage) + "\n";
  }
  for (const std::string& place : verified.places) out += "place: " + place + "\n";
  for (const std::string& fault : verified.faults) out += "fault: " + fault + "\n";
  return out;
}

std::string summary(const StoppedLane& lane, const Verification& verified) {
  std::string text = verified.is_sound() ? "ok: " : "not sound: ";
  text += std::to_string(verified.segments) + " segment(s), " + std::to_string(verified.footers) + " footer(s), " +
          std::to_string(verified.events) + " event(s), " + bytes_text(verified.bytes) + "; " +
          std::to_string(verified.damage.size()) + " damaged range(s), " + std::to_string(verified.faults.size()) +
          " other fault(s)";
  if (lane.survey.torn_bytes > 0) {
    text += "; the last " + std::to_string(lane.survey.torn_bytes) + " bytes are a write that was never finished";
  }
  return text;
}

}  // namespace

int run_log_verify(const std::string& directory, io::World world, io::Stdio& stdio) {
  const auto lane = storage::open_stopped_lane(world.file_system, directory);
  if (!lane) return fail_to_read_log(stdio, lane.error(), directory);
  ProgressLine progress("verifying", world.clock, stdio);
  const auto verified =
      storage::verify(*lane, [&](std::uint64_t done, std::uint64_t all) { progress.show(done, all); });
  progress.clear();
  if (!verified) return fail_to_read_log(stdio, verified.error(), directory);
  if (!stdio.write(io::Stdio::Stream::Output, report(*lane, *verified))) return kExitInputOutput;
  say(stdio, summary(*lane, *verified));
  return verified->is_sound() ? kExitOk : kExitFinding;
}

}  // namespace server
