// SPDX-License-Identifier: Apache-2.0
#pragma once
// The set of addresses that a subscription or a page is about: what of the log concerns it, and which members live
// only now. A value; any thread. Invariant: at least one member, none twice.
#include <string>
#include <vector>

#include "engine/event.h"
#include "engine/topics.h"
#include "storage/block.h"

namespace engine {

struct Member {
  const Channel* channel;
  std::string address;
};

class AddressSet final {
 public:
  explicit AddressSet(std::vector<Member>);  // named twice is wanted once

  bool wants(storage::TopicId) const;
  bool wants(const Event&) const;  // of a topic that it wants
  bool is_purely_ephemeral() const;
  std::vector<storage::TopicId> durable_topics() const;  // sorted, each once: what Lane::read is asked for
  std::vector<std::string> live_only() const;            // addresses of the ephemeral members

  const std::vector<Member>& members() const { return members_; }

 private:
  std::vector<Member> members_;
};

}  // namespace engine
