// SPDX-License-Identifier: Apache-2.0
#pragma once
// The five worlds as this machine provides them: clocks, epoll and sockets, threads, files, getrandom.
//
// Thread: any. It must outlive every Loop that is built on it.
#include <memory>

#include "io/world.h"

namespace io {

class RealWorld final {
 public:
  RealWorld();
  ~RealWorld();  // ends the threads that carry out file operations
  RealWorld(const RealWorld&) = delete;
  RealWorld& operator=(const RealWorld&) = delete;

  World world();
  static unsigned processors();  // at least 1

 private:
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<Network> network_;
  std::unique_ptr<Threads> threads_;
  std::unique_ptr<FileSystem> file_system_;
  std::unique_ptr<Files> files_;
};

}  // namespace io
