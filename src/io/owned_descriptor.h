// SPDX-License-Identifier: Apache-2.0
#pragma once
// A file descriptor with an owner. Any thread.

namespace io {

// A descriptor that is closed unless it is released.
class OwnedDescriptor final {
 public:
  explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
  ~OwnedDescriptor();
  OwnedDescriptor(OwnedDescriptor&& other) noexcept : descriptor_(other.release()) {}
  OwnedDescriptor& operator=(OwnedDescriptor&& other) noexcept;

  int get() const { return descriptor_; }
  int release();

 private:
  int descriptor_;
};

}  // namespace io
