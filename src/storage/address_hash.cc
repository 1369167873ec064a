// SPDX-License-Identifier: Apache-2.0
#include "base/siphash.h"
#include "storage/lane.h"

namespace storage {

std::uint64_t address_hash(const Identity& identity, base::Bytes address) {
  return base::siphash128(identity.deduplication_key, address).lo;
}

}  // namespace storage
