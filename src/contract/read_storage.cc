// SPDX-License-Identifier: Apache-2.0
// `x-tidewire` of a channel, and where it is silent the Kafka binding's topicConfiguration.
#include <fmt/format.h>

#include <charconv>

#include "contract/limits.h"
#include "contract/nearest.h"
#include "contract/read.h"
#include "contract/units.h"

namespace contract {
namespace {

constexpr std::string_view kRule = "x-tidewire/value";

void only_known(Reading& reading, const Object& object, const std::vector<std::string_view>& known) {
  for (std::size_t i = 0; i < object.node()->members.size(); ++i) {
    const std::string& key = object.node()->members[i].key;
    bool is_known = false;
    for (const std::string_view name : known) is_known = is_known || name == key;
    if (is_known) continue;
    reading.findings.error(object.node()->key_where(i), "x-tidewire/unknown-key",
                           fmt::format("{} has no '{}'{}: the keys are {}", object.what(), key,
                                       did_you_mean(key, known), fmt::join(known, ", ")));
  }
}

bool is_scalar(const Node& node) { return node.kind == Kind::String || node.kind == Kind::Int; }

void read_durability(Reading& reading, const Object& extension, Channel& out) {
  if (!extension.get("durability")) return;
  const std::string word = extension.text("durability");
  const Where where = extension.get("durability")->where();
  if (word == "ephemeral") {
    out.durability = Durability::Ephemeral;
  } else if (word == "buffered") {
    reading.findings.note(where, "x-tidewire/buffered", "'buffered' is served as 'durable', which promises more");
  } else if (word != "durable" && !word.empty()) {
    reading.findings.error(where, kRule,
                           fmt::format("'{}' is no durability{}: write durable, ephemeral or buffered", word,
                                       did_you_mean(word, {"durable", "ephemeral", "buffered"})));
  }
}

void read_retention(Reading& reading, const Object& extension, Channel& out) {
  if (!extension.get("retention")) return;
  const Object retention = extension.object("retention");
  if (!retention) return;
  only_known(reading, retention, {"age", "bytes"});
  const auto refuse = [&](const Node& node, std::string_view reason) {
    reading.findings.error(node.where(), kRule, fmt::format("'{}': {}, and more than nothing", node.text, reason));
  };
  if (const Node* age = retention.get("age")) {
    const auto ms = is_scalar(*age) ? parse_duration_ms(age->text)
                                    : base::fail(base::Errc::BadInput, "a duration is written like 7d or P7D");
    if (ms && *ms > 0) {
      out.retention.age_ms = *ms;
    } else {
      refuse(*age, ms ? "a duration is written like 7d or P7D" : ms.error().text);
    }
  }
  if (const Node* size = retention.get("bytes")) {
    const auto bytes = is_scalar(*size) ? parse_size_bytes(size->text)
                                        : base::fail(base::Errc::BadInput, "a size is written like 64KiB");
    if (bytes && *bytes > 0) {
      out.retention.bytes = *bytes;
    } else {
      refuse(*size, bytes ? "a size is written like 64KiB" : bytes.error().text);
    }
  }
}

void read_partitions(Reading& reading, const Object& extension, Channel& out) {
  out.partition_key = extension.text("key");
  const Node* node = extension.get("partitions");
  if (!node) return;
  std::uint32_t count = 0;
  const char* end = node->text.data() + node->text.size();
  const auto [stop, error] = std::from_chars(node->text.data(), end, count);
  const bool fits = node->kind == Kind::Int && error == std::errc() && stop == end;
  if (!fits || count < 1 || count > kPartitionsMax) {
    reading.findings.error(node->where(), kRule,
                           fmt::format("'partitions' must be a whole number from 1 to {}", kPartitionsMax));
    return;
  }
  out.partitions = count;
  if (count > 1) {
    reading.findings.note(node->where(), "x-tidewire/partitions",
                          "the channel is served as one partition, which keeps the order of all its events");
  }
}

// Kafka topic configuration: a whole number of at least 1, or -1 for no limit.
std::optional<std::int64_t> kafka_limit(Reading& reading, const Object& topic, std::string_view key) {
  const Node* node = topic.get(key);
  if (!node) return std::nullopt;
  std::int64_t value = 0;
  const char* end = node->text.data() + node->text.size();
  const auto [stop, error] = std::from_chars(node->text.data(), end, value);
  const bool fits = node->kind == Kind::Int && error == std::errc() && stop == end;
  if (fits && (value == -1 || value > 0)) return value;
  reading.findings.error(node->where(), "kafka/retention",
                         fmt::format("'{}' must be a whole number of at least 1, or -1 for no limit", key));
  return std::nullopt;
}

void read_kafka(Reading& reading, const Object& channel, Channel& out) {
  const Object bindings = channel.object("bindings");
  if (!bindings) return;
  const Object kafka = bindings.object("kafka");
  if (!kafka) return;
  const Object topic = kafka.object("topicConfiguration");
  if (!topic) return;
  const auto age_ms = kafka_limit(reading, topic, "retention.ms");
  if (age_ms && !out.retention.age_ms) out.retention.age_ms = *age_ms == -1 ? kAgeUnlimitedMs : *age_ms;
  const auto bytes = kafka_limit(reading, topic, "retention.bytes");
  if (bytes && !out.retention.bytes) {
    out.retention.bytes = *bytes == -1 ? kRetentionUnlimitedBytes : static_cast<std::uint64_t>(*bytes);
  }
}

}  // namespace

void read_storage(Reading& reading, const Object& channel, Channel& out) {
  const Object extension = channel.object("x-tidewire");
  if (extension) {
    only_known(reading, extension, {"durability", "retention", "partitions", "key"});
    read_durability(reading, extension, out);
    read_retention(reading, extension, out);
    read_partitions(reading, extension, out);
    if (out.durability == Durability::Ephemeral && extension.get("retention")) {
      reading.findings.warning(
          extension.get("retention")->where(), "x-tidewire/retention",
          "an ephemeral channel keeps nothing, so its retention is ignored: remove one of the two");
    }
  }
  read_kafka(reading, channel, out);
}

}  // namespace contract
