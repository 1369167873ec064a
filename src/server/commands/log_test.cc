// SPDX-License-Identifier: Apache-2.0
// The commands on a log in a simulated directory: what a person reads, and how the program ends. What they find out is
// tested beside storage/log/tools.
#include "server/commands/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <sstream>

#include "codec/cloudevents.h"
#include "codec/json.h"
#include "codec/rfc3339.h"
#include "engine/cursor.h"
#include "server/commands/test_terminal.h"
#include "server/exit_code.h"
#include "tests/support/lane_directory.h"

namespace server {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

class LogCommandTest : public testing::Test {
 protected:
  LogCommandTest() {
    lane.must_start();
    lane.declare("comments/*/likes");
    lane.declare("orders");
    epoch = lane.state().identity.epoch;
  }

  // One event, in a group of its own.
  const storage::WrittenGroup& publish(storage::TopicId topic, const std::string& address, const std::string& data) {
    codec::CloudEvent event;
    const std::string id = "id-" + std::to_string(lane.state().next_sequence);
    event.id = id;
    event.source = "/test";
    event.type = "said";
    event.time = "2026-11-23T17:00:00Z";
    event.datacontenttype = "application/json";
    event.address = address;
    event.data = data;
    std::string tail;
    codec::append_event_record(tail, event, address);
    codec::BatchBuilder builder;
    const std::int64_t now = world.world().clock.wall_ms();
    builder.start(lane.state().topics.at(topic - 1).next_offset, now);
    builder.add(now, tail);
    const storage::Sequence sequence = lane.state().next_sequence;
    std::string records;
    storage::append_batch_record(records, {topic, sequence, std::vector<std::uint64_t>{1}, {}, builder.finish()});
    return lane.commit(std::move(records), sequence, sequence);
  }
  std::string cursor(storage::Sequence sequence) const { return engine::Cursor{epoch, sequence}.token(); }

  int dump(const LogDumpOptions& options = {}) {
    lane.close();
    output.clear();
    error.clear();
    return run_log_dump(lane.path(), options, file_system, terminal);
  }
  // The ids of the events that were printed.
  std::vector<std::string> dumped(const LogDumpOptions& options) {
    EXPECT_EQ(dump(options), kExitOk) << error;
    std::vector<std::string> ids;
    std::istringstream lines(output);
    for (std::string line; std::getline(lines, line);) {
      const auto event = json.parse(line);
      EXPECT_TRUE(event) << line;
      ids.emplace_back(event->member("id")->string().value());
    }
    return ids;
  }

  sim::SimWorld world{{.seed = 9}};
  io::FileSystem& file_system = world.world().file_system;
  sim::SimFiles& files = world.files();
  storage::TestLane lane{world};
  std::uint64_t epoch = 0;
  codec::json::Parser json;
  TestTerminal terminal;
  std::string& output = terminal.output;
  std::string& error = terminal.error;
};

// --- dump

TEST_F(LogCommandTest, dump_prints_each_event_as_a_line_with_its_cursor) {
  publish(1, "comments/42/likes", R"({"by": "noor"})");
  publish(2, "orders", "7");
  EXPECT_EQ(dump(), kExitOk);
  EXPECT_EQ(output,
            R"({"specversion":"1.0","id":"id-1","source":"/test","type":"said","time":"2026-11-23T17:00:00Z",)"
            R"("datacontenttype":"application/json","channel":"comments/42/likes","cursor":")" +
                cursor(1) + R"(","data":{"by":"noor"}})" + "\n" +
                R"({"specversion":"1.0","id":"id-2","source":"/test","type":"said","time":"2026-11-23T17:00:00Z",)"
                R"("datacontenttype":"application/json","channel":"orders","cursor":")" +
                cursor(2) + R"(","data":7})" + "\n");
  EXPECT_THAT(error, IsEmpty());
}

TEST_F(LogCommandTest, dump_chooses_by_topic_address_position_time_and_number) {
  publish(1, "comments/1/likes", "1");
  publish(1, "comments/2/likes", "2");
  publish(2, "orders", "3");
  world.step_wall_clock(3'600'000);
  const std::int64_t later = world.world().clock.wall_ms();
  publish(1, "comments/1/likes", "4");
  publish(2, "orders", "5");
  std::string time;
  codec::append_rfc3339(time, later);
  EXPECT_THAT(dumped({.topics = {"orders"}}), ElementsAre("id-3", "id-5"));
  EXPECT_THAT(dumped({.topics = {"orders", "comments/*/likes"}}), SizeIs(5));
  EXPECT_THAT(dumped({.address = "comments/1/likes"}), ElementsAre("id-1", "id-4"));
  EXPECT_THAT(dumped({.after = "2"}), ElementsAre("id-3", "id-4", "id-5"));
  EXPECT_THAT(dumped({.after = cursor(2), .before = cursor(5)}), ElementsAre("id-3", "id-4"));
  EXPECT_THAT(dumped({.from = time}), ElementsAre("id-4", "id-5"));
  EXPECT_THAT(dumped({.until = time}), ElementsAre("id-1", "id-2", "id-3"));
  EXPECT_THAT(dumped({.address = "comments/1/likes", .limit = 1}), ElementsAre("id-1"));
  EXPECT_THAT(dumped({.address = "comments/3/likes"}), IsEmpty());
}

TEST_F(LogCommandTest, dump_leaves_trimmed_events_out_unless_all_are_asked_for) {
  publish(1, "comments/1/likes", "1");
  publish(1, "comments/1/likes", "2");
  lane.trim(1, 1);
  EXPECT_THAT(dumped({}), ElementsAre("id-2"));
  EXPECT_THAT(dumped({.all = true}), ElementsAre("id-1", "id-2"));
}

TEST_F(LogCommandTest, dump_refuses_words_that_do_not_fit_this_log) {
  publish(2, "orders", "1");
  const std::pair<LogDumpOptions, const char*> wrong[] = {
      {{.topics = {"order"}}, "no such topic; it has `comments/*/likes`, `orders`"},
      {{.after = "soon"}, "--after soon: expected a cursor or a sequence"},
      {{.before = "-1"}, "--before -1: expected a cursor or a sequence"},
      {{.after = engine::Cursor{epoch + 1, 1}.token()}, "another history"},
      {{.from = "yesterday"}, "--from yesterday: expected a time"},
      {{.until = "2026-11-23"}, "--until 2026-11-23: expected a time"}};
  for (const auto& [options, words] : wrong) {
    EXPECT_EQ(dump(options), kExitUsage);
    EXPECT_THAT(error, AllOf(StartsWith("tidewire: "), HasSubstr(words)));
    EXPECT_THAT(output, IsEmpty());
  }
}

TEST_F(LogCommandTest, dump_goes_on_behind_damage_and_says_so_in_the_end) {
  publish(2, "orders", "1");
  const storage::WrittenGroup hit = publish(2, "orders", "2");
  publish(2, "orders", "3");
  lane.stop();
  files.flip_bit(hit.path, hit.offset + 60, 0);
  EXPECT_EQ(dump(), kExitFinding);
  EXPECT_THAT(output, AllOf(HasSubstr("id-1"), Not(HasSubstr("id-2")), HasSubstr("id-3")));
  EXPECT_EQ(error, "tidewire: damage: event 2 left out\n");
}

TEST_F(LogCommandTest, dump_leaves_out_what_is_no_event_and_says_so) {
  lane.publish(2);
  publish(2, "orders", "1");
  EXPECT_EQ(dump(), kExitFinding);
  EXPECT_THAT(output, AllOf(HasSubstr("id-2"), Not(HasSubstr("id-1"))));
  EXPECT_THAT(error, HasSubstr("event 1 is no CloudEvent"));
}

TEST_F(LogCommandTest, dump_ends_quietly_if_nobody_reads_any_more) {
  publish(2, "orders", "1");
  terminal.output_is_closed = true;
  EXPECT_EQ(dump(), kExitOk);
  EXPECT_THAT(error, IsEmpty());
}

// --- info

TEST_F(LogCommandTest, info_tells_what_is_there) {
  publish(1, "comments/1/likes", "1");
  lane.rotate(storage::TestLane::Footer::Yes);
  publish(2, "orders", "1");
  publish(1, "comments/1/likes", "1");
  lane.stop();
  EXPECT_EQ(run_log_info(lane.path(), LogForm::Text, file_system, terminal), kExitOk);
  EXPECT_THAT(output, HasSubstr("epoch        " + cursor(0).substr(1, 13)));
  EXPECT_THAT(output, HasSubstr("events       3 in 2 topic(s)"));
  EXPECT_THAT(output, HasSubstr("sequences    1 to 3; the next run begins at 1099511627779"));
  EXPECT_THAT(output, HasSubstr("tail         clean"));
  EXPECT_THAT(output, HasSubstr("damage       none is known"));
  EXPECT_THAT(output, HasSubstr("next start   goes on under the same epoch"));
  EXPECT_THAT(output, testing::ContainsRegex("  1  comments/\\*/likes +2 +[0-9]+ +1 +3  0 to 2 +- +7d +-\n"));
  EXPECT_THAT(output, testing::ContainsRegex("0000000000000001.segment +[0-9]+ +1 +1 .* sealed, begun by a start\n"));
  EXPECT_THAT(output, testing::ContainsRegex("0000000000000002.segment +[0-9]+ +2 +3 .* newest\n"));
}

TEST_F(LogCommandTest, info_says_what_the_next_start_will_do) {
  publish(2, "orders", "1");
  const storage::WrittenGroup newest = publish(2, "orders", "2");
  lane.close();
  files.put(newest.path, *files.get(newest.path) + std::string(100, '?'));
  files.copy_directory(lane.path(), "/data/copy");
  EXPECT_EQ(run_log_info("/data/copy", LogForm::Text, file_system, terminal), kExitOk);
  EXPECT_THAT(output, HasSubstr("1 event(s) of the newest group are not proven yet; 100 bytes of a write"));
  EXPECT_THAT(output, HasSubstr("next start   goes on under a new epoch"));
  EXPECT_THAT(output, HasSubstr("copies the newest 1 event(s)"));
  files.remove_file("/data/copy/lock");
  output.clear();
  EXPECT_EQ(run_log_info("/data/copy", LogForm::Text, file_system, terminal), kExitOk);
  EXPECT_THAT(output, HasSubstr("next start   is refused: the file `lock` is missing"));
}

TEST_F(LogCommandTest, info_in_json_has_the_same) {
  publish(1, "comments/1/likes", "1");
  const storage::WrittenGroup hit = publish(2, "orders", "1");
  publish(2, "orders", "2");
  lane.stop();
  files.flip_bit(hit.path, hit.offset + 60, 0);
  EXPECT_EQ(run_log_info(lane.path(), LogForm::Json, file_system, terminal), kExitOk);
  const auto info = json.parse(output);
  ASSERT_TRUE(info) << output;
  EXPECT_EQ(info->member("epoch")->string(), cursor(0).substr(1, 13));
  EXPECT_EQ(info->member("events")->unsigned_integer(), 2u);
  EXPECT_THAT(output, HasSubstr(R"("damage":[{"first":2,"last":2}])"));
  EXPECT_THAT(output, HasSubstr(R"("sequences":{"first":1,"last":3,"next_run":1099511627779})"));
  EXPECT_THAT(output, HasSubstr(R"("next_start":{"history":"same-epoch","does":[)"));
  EXPECT_THAT(output, HasSubstr(R"("retention":{"age_ms":604800000,"bytes":null})"));
}

TEST_F(LogCommandTest, info_of_a_lane_that_holds_nothing_yet) {
  files.put("/data/new/lock", storage::encode_lock());
  EXPECT_EQ(run_log_info("/data/new", LogForm::Text, file_system, terminal), kExitOk);
  EXPECT_THAT(output, AllOf(HasSubstr("epoch        none yet"), HasSubstr("begins the first history")));
  output.clear();
  EXPECT_EQ(run_log_info("/data/new", LogForm::Json, file_system, terminal), kExitOk);
  EXPECT_TRUE(json.parse(output)) << output;
}

// --- verify, backup, fork

TEST_F(LogCommandTest, verify_ends_with_0_if_all_is_well_and_with_1_if_not) {
  publish(1, "comments/1/likes", "1");
  const storage::WrittenGroup hit = publish(2, "orders", "1");
  publish(2, "orders", "2");
  lane.stop();
  EXPECT_EQ(run_log_verify(lane.path(), world.world(), terminal), kExitOk);
  EXPECT_THAT(output, IsEmpty());
  EXPECT_THAT(error, StartsWith("tidewire: ok: 1 segment(s), 0 footer(s), 3 event(s)"));
  files.flip_bit(hit.path, hit.offset + 60, 0);
  error.clear();
  EXPECT_EQ(run_log_verify(lane.path(), world.world(), terminal), kExitFinding);
  EXPECT_THAT(output, HasSubstr("damage: event 2: up to 1 of `orders`\nplace: 0000000000000001.segment: "));
  EXPECT_THAT(error, StartsWith("tidewire: not sound: 1 segment(s), 0 footer(s), 2 event(s)"));
}

TEST_F(LogCommandTest, backup_of_a_lane_in_use_says_what_it_has) {
  publish(2, "orders", "1");
  publish(2, "orders", "2");
  EXPECT_EQ(run_log_backup(lane.path(), "/data/copy", world.world(), terminal), kExitOk);
  EXPECT_THAT(error, AllOf(HasSubstr("copied 1 segment(s)"), HasSubstr("up to event 2"), HasSubstr("a new epoch")));
  LogDumpOptions all;
  EXPECT_EQ(run_log_dump("/data/copy", all, file_system, terminal), kExitOk);
  EXPECT_THAT(output, AllOf(HasSubstr("id-1"), HasSubstr("id-2")));
}

TEST_F(LogCommandTest, backup_says_which_directory_is_wrong) {
  EXPECT_EQ(run_log_backup("/data/nowhere", "/data/copy", world.world(), terminal), kExitInputOutput);
  EXPECT_THAT(error, HasSubstr("there is no directory /data/nowhere"));
  EXPECT_EQ(run_log_backup(lane.path(), "/data/no/where", world.world(), terminal), kExitInputOutput);
  EXPECT_THAT(error, HasSubstr("cannot write the backup to /data/no/where"));
  files.put("/data/full/file", "x");
  EXPECT_EQ(run_log_backup(lane.path(), "/data/full", world.world(), terminal), kExitConfiguration);
  EXPECT_THAT(error, HasSubstr("/data/full is not empty"));
}

TEST_F(LogCommandTest, fork_says_what_comes_next) {
  publish(2, "orders", "1");
  lane.stop();
  EXPECT_EQ(run_log_fork(lane.path(), file_system, terminal), kExitOk);
  EXPECT_THAT(error, AllOf(HasSubstr("another history from now on"), HasSubstr("reset (epoch-changed)")));
  lane.must_start();
  EXPECT_NE(lane.state().identity.epoch, epoch);
}

TEST_F(LogCommandTest, a_lane_in_use_is_refused_with_the_way_out) {
  for (const auto& run : std::vector<std::function<int()>>{
           [&] { return run_log_info(lane.path(), LogForm::Text, file_system, terminal); },
           [&] { return run_log_verify(lane.path(), world.world(), terminal); },
           [&] { return run_log_dump(lane.path(), {}, file_system, terminal); },
           [&] { return run_log_fork(lane.path(), file_system, terminal); }}) {
    error.clear();
    EXPECT_EQ(run(), kExitConfiguration);
    EXPECT_THAT(error, AllOf(HasSubstr("another tidewire uses /data/lane"), HasSubstr("`tidewire log backup`")));
  }
  EXPECT_THAT(output, IsEmpty());
}

TEST_F(LogCommandTest, what_is_no_log_is_refused_in_a_sentence) {
  files.put("/data/photos/cat.jpeg", "meow");
  const auto info = [&](const std::string& directory) {
    error.clear();
    return run_log_info(directory, LogForm::Text, file_system, terminal);
  };
  EXPECT_EQ(info("/data/photos"), kExitConfiguration);
  EXPECT_THAT(error, HasSubstr("/data/photos holds no log of Tidewire"));
  EXPECT_EQ(info("/data/photos/cat.jpeg"), kExitConfiguration);
  EXPECT_THAT(error, HasSubstr("is not a directory"));
  EXPECT_EQ(info("/data/nowhere"), kExitInputOutput);
  EXPECT_THAT(error, HasSubstr("there is no directory /data/nowhere"));
  lane.close();
  files.fail_kind(sim::SimFiles::Kind::List, 1, {base::Errc::System, "cannot open a directory", EACCES});
  EXPECT_EQ(info(lane.path()), kExitInputOutput);
  EXPECT_THAT(error, HasSubstr("cannot open a directory: Permission denied"));
}

TEST_F(LogCommandTest, a_log_of_which_nothing_can_be_read_is_a_finding) {
  publish(2, "orders", "1");
  lane.stop();
  const std::string path = lane.groups.back().path;
  files.zero_range(path, 0, files.get(path)->size());
  EXPECT_EQ(run_log_verify(lane.path(), world.world(), terminal), kExitFinding);
  EXPECT_THAT(error, HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace server
