// SPDX-License-Identifier: Apache-2.0
#include "engine/publication.h"

#include <algorithm>

#include "codec/json.h"
#include "codec/mime.h"
#include "codec/utf8.h"

namespace engine {

namespace {

// application/json and application/vnd.x+json are both JSON; anything else must be the same media type.
bool fits(std::string_view content_type, const contract::Message& message) {
  if (content_type.empty()) return true;
  // It becomes text of a JSON envelope, and a header may have any octets.
  const auto given = codec::parse_media_type(content_type);
  if (!given || !codec::is_utf8(content_type)) return false;
  if (codec::is_json(content_type) && codec::is_json(message.content_type)) return true;
  const auto declared = codec::parse_media_type(message.content_type);
  return declared && given->type == declared->type && given->subtype == declared->subtype;
}

}  // namespace

base::Result<const contract::Message*> message_of(const Publication& publication) {
  const Rights& rights = publication.channel.rights_of(publication.side);
  const codec::CloudEvent& content = publication.content;
  const contract::Message* fitting = nullptr;
  bool ambiguous = false;
  for (const std::size_t index : rights.messages) {
    const contract::Message& message = publication.channel.messages[index];
    const bool named = message.name == (content.message.empty() ? content.type : content.message);
    const bool fit = fits(content.datacontenttype, message);
    if (named && fit) return &message;
    if (named)
      return base::fail(base::Errc::Unsupported,
                        "the message that the event names has another content type in the contract");
    if (!fit) continue;
    ambiguous = fitting != nullptr;
    fitting = &message;
  }
  if (!content.message.empty())
    return base::fail(base::Errc::Invalid, "`message` names no message that may be published here");
  if (fitting == nullptr)
    return base::fail(base::Errc::Unsupported, "no message of this channel has this content type");
  if (ambiguous) {
    return base::fail(
        base::Errc::Invalid,
        "several messages of this channel fit: name one in the CloudEvents attribute `type` or `message`");
  }
  return fitting;
}

std::optional<storage::Repeat> repeat_of(const Publication& publication, const codec::CloudEvent& complete,
                                         const storage::Identity& identity) {
  const bool has_id = !publication.content.id.empty();
  if (!has_id && publication.idempotency_key.empty()) return std::nullopt;
  const std::uint32_t topic = publication.channel.topic;
  base::SipHash key(identity.deduplication_key);
  key.update_field({reinterpret_cast<const char*>(&topic), sizeof topic});
  key.update_field(publication.address);
  key.update_field({});  // the principal, once there are any
  if (has_id) {
    key.update_field(complete.source);
    key.update_field(complete.id);
  } else {
    key.update_field(publication.idempotency_key);
  }
  base::SipHash content(identity.deduplication_key);
  content.update_field(complete.message);
  content.update_field(complete.datacontenttype);
  std::string minified;
  if (codec::is_json(complete.datacontenttype) && complete.data && codec::json::minify(minified, *complete.data)) {
    content.update_field(minified);
  } else {
    content.update_field(complete.data.value_or(base::Bytes{}));
  }
  return storage::Repeat{key.finish(), content.finish()};
}

}  // namespace engine
