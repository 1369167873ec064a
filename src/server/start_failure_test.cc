// SPDX-License-Identifier: Apache-2.0
#include "server/start_failure.h"

#include <gmock/gmock.h>

#include <cerrno>

#include "server/exit_code.h"

namespace server {
namespace {

using testing::AllOf;
using testing::Field;
using testing::HasSubstr;

StartFailure opening(base::Errc code, int sys_errno, const std::string& directory = "/srv/log") {
  return cannot_open_log({code, "the operation", sys_errno}, directory);
}

auto ends(int code, const std::string& words) {
  return AllOf(Field(&StartFailure::exit_code, code), Field(&StartFailure::sentence, HasSubstr(words)),
               Field(&StartFailure::sentence, HasSubstr("choose another directory with --data")));
}

TEST(StartFailure, a_log_in_use_says_who_has_it) {
  EXPECT_THAT(opening(base::Errc::System, EWOULDBLOCK), ends(kExitConfiguration, "another tidewire uses /srv/log"));
}

TEST(StartFailure, a_directory_that_is_no_log_or_of_a_newer_version_is_a_matter_of_configuration) {
  EXPECT_THAT(opening(base::Errc::BadInput, 0), ends(kExitConfiguration, "/srv/log is not a log of Tidewire"));
  EXPECT_THAT(opening(base::Errc::Unsupported, 0), ends(kExitConfiguration, "newer version"));
  EXPECT_THAT(opening(base::Errc::System, ENOTDIR), ends(kExitConfiguration, "/srv/log is not a directory"));
}

TEST(StartFailure, a_missing_parent_is_named_with_the_command_that_makes_it) {
  const std::pair<const char*, const char*> parents[] = {{"/srv/log", "`mkdir -p /srv`"},
                                                         {"/srv/log/", "`mkdir -p /srv`"},
                                                         {"a/b/c", "`mkdir -p a/b`"},
                                                         {"/log", "`mkdir -p /`"},
                                                         {"log", "`mkdir -p .`"}};
  for (const auto& [directory, words] : parents)
    EXPECT_THAT(opening(base::Errc::NotFound, ENOENT, directory), ends(kExitInputOutput, words));
}

TEST(StartFailure, what_the_machine_refuses_is_an_input_error_with_its_reason) {
  EXPECT_THAT(opening(base::Errc::System, EACCES), ends(kExitInputOutput, "Permission denied"));
  EXPECT_THAT(opening(base::Errc::System, EROFS), ends(kExitInputOutput, "Read-only file system"));
  EXPECT_THAT(opening(base::Errc::System, ENOSPC), ends(kExitInputOutput, "free at least 32 MiB there"));
  EXPECT_THAT(opening(base::Errc::System, EIO), ends(kExitInputOutput, "check the disk"));
}

TEST(StartFailure, channels_that_the_log_did_not_take_are_an_input_error) {
  EXPECT_THAT(cannot_declare(storage::LaneCondition::Full, "/srv/log"), ends(kExitInputOutput, "no room"));
  const StartFailure failed = cannot_declare(storage::LaneCondition::ReadOnly, "/srv/log");
  EXPECT_EQ(failed.exit_code, kExitInputOutput);
  EXPECT_THAT(failed.sentence, HasSubstr("a sync failed"));
}

}  // namespace
}  // namespace server
