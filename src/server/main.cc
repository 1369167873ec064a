// SPDX-License-Identifier: Apache-2.0
#include "io/signals.h"
#include "io/stdio.h"
#include "server/command_line.h"

int main(int argc, char** argv) {
  io::ignore_broken_pipes();
  io::RealStdio stdio;
  return server::run_command_line(argc, argv, stdio);
}
