// SPDX-License-Identifier: Apache-2.0
#include "io/real_world.h"

#include <algorithm>
#include <thread>

#include "io/real_clock.h"
#include "io/real_files.h"
#include "io/real_network.h"
#include "io/real_random.h"
#include "io/real_threads.h"

namespace io {

RealWorld::RealWorld()
    : clock_(std::make_unique<RealClock>()),
      random_(std::make_unique<RealRandom>()),
      network_(std::make_unique<RealNetwork>()),
      threads_(std::make_unique<RealThreads>()),
      file_system_(std::make_unique<RealFileSystem>()),
      files_(std::make_unique<RealFiles>()) {}

RealWorld::~RealWorld() = default;

unsigned RealWorld::processors() { return std::max(1u, std::thread::hardware_concurrency()); }

World RealWorld::world() { return {*clock_, *files_, *file_system_, *network_, *threads_, *random_}; }

}  // namespace io
