// SPDX-License-Identifier: Apache-2.0
#pragma once
// `tidewire log info|verify|dump|backup|fork`: what can be done to the directory of a log without serving it. The log
// must not be in use, but for a backup. docs/log_command.md describes them.
//
// Each returns the exit code: 0; 1 for damage and whatever else is wrong with the log; 64 for words that fit no log or
// not this one; 74 if files cannot be read or written; 78 if the directory is no log, or is in use.
#include <cstdint>
#include <string>
#include <vector>

#include "io/stdio.h"
#include "io/world.h"

namespace server {

enum class LogForm : std::uint8_t { Text, Json };

struct LogDumpOptions {
  std::vector<std::string> topics = {};  // identities; none: all
  std::string address = {};              // this one only; empty: all
  std::string after = {};                // a cursor or a sequence, like `before`; empty: no bound
  std::string before = {};
  std::string from = {};  // RFC 3339, of append time, like `until`; empty: no bound
  std::string until = {};
  std::uint64_t limit = 0;  // 0: none
  bool all = false;         // trimmed events too
};

int run_log_info(const std::string& directory, LogForm, io::FileSystem&, io::Stdio&);
int run_log_verify(const std::string& directory, io::World, io::Stdio&);
int run_log_dump(const std::string& directory, const LogDumpOptions&, io::FileSystem&, io::Stdio&);
int run_log_backup(const std::string& directory, const std::string& target, io::World, io::Stdio&);
int run_log_fork(const std::string& directory, io::FileSystem&, io::Stdio&);

}  // namespace server
