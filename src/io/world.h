// SPDX-License-Identifier: Apache-2.0
#pragma once
// The five worlds together: everything that is not computation. The real ones come from io::RealWorld, the simulated
// ones from tests/support. Whoever builds a server chooses, nobody below can tell the difference.
#include "io/clock.h"
#include "io/files.h"
#include "io/network.h"
#include "io/random.h"
#include "io/threads.h"

namespace io {

struct World {
  Clock& clock;
  Files& files;
  FileSystem& file_system;
  Network& network;
  Threads& threads;
  Random& random;
};

}  // namespace io
