// SPDX-License-Identifier: Apache-2.0
#pragma once
// A publish on its way in: what a protocol hands to Engine::publish, and what comes back.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/cursor.h"
#include "engine/event.h"
#include "engine/topics.h"
#include "storage/lane.h"

namespace engine {

// Views; only used during the call. Of `content`, an empty id, source, type or time is filled in; channel and message
// are decided by the engine, and `message` may name a wish.
struct Publication {
  const Channel& channel;
  std::string_view address;
  Side side;
  codec::CloudEvent content;
  std::string_view idempotency_key = {};  // counts where no id was given
};

struct PublishReply {
  storage::AppendStatus status;
  bool duplicate = false;
  std::string id;  // of the event that is in the log: a repeat has the first one's
  Cursor cursor;
  bool id_given = false;  // by the publisher
};

using PublishDone = std::move_only_function<void(PublishReply)>;

// Which message of the channel a publication is, if its side may publish it: by the name that it carries, else the
// only one whose content type fits. Errc::Invalid with a sentence that says how to name one.
base::Result<const contract::Message*> message_of(const Publication&);

// What recognises a repeat of this publication; nothing if the client gave neither id nor key.
std::optional<storage::Repeat> repeat_of(const Publication&, const codec::CloudEvent& complete,
                                         const storage::Identity&);

}  // namespace engine
