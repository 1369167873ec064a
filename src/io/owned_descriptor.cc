// SPDX-License-Identifier: Apache-2.0
#include "io/owned_descriptor.h"

#include <unistd.h>

#include <utility>

namespace io {

OwnedDescriptor::~OwnedDescriptor() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

OwnedDescriptor& OwnedDescriptor::operator=(OwnedDescriptor&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

int OwnedDescriptor::release() { return std::exchange(descriptor_, -1); }

}  // namespace io
