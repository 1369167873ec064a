// SPDX-License-Identifier: Apache-2.0
#include "codec/cloudevents.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace codec {
namespace {

using base::Bytes;
using base::Errc;

CloudEvent like() {
  CloudEvent event;
  event.id = "0192-7";
  event.source = "/comments/42/likes";
  event.type = "liked";
  event.time = "2026-11-23T17:09:47.123Z";
  event.datacontenttype = "application/json";
  event.address = "comments/42/likes";
  event.message = "liked";
  event.data = R"( {"by": "ann", "n": 1.00} )";
  EXPECT_TRUE(event.extensions.add("traceparent", "00-ab-cd-01"));
  return event;
}

std::string json_of(const CloudEvent& event, Bytes cursor) {
  std::string out;
  append_event_json(out, event, cursor);
  return out;
}

// The batch keeps the bytes that the record borrows.
RecordView record_of(BatchBuilder& batch, Bytes tail) {
  batch.start(0, 0);
  batch.add(0, tail);
  return BatchView::parse(batch.finish(), BatchCrc::Check).value().records().next().value();
}

TEST(CloudEvents, an_event_is_a_record_in_binary_mode) {
  std::string tail;
  append_event_record(tail, like(), "ann");
  BatchBuilder batch;
  const RecordView record = record_of(batch, tail);
  EXPECT_EQ(record.key, "ann");
  EXPECT_EQ(record.value, R"( {"by": "ann", "n": 1.00} )");
  std::string headers;
  HeaderReader reader = record.headers;
  while (reader.left() > 0) {
    const Header header = reader.next().value();
    headers.append(header.name).append("=").append(header.value.value()).append("\n");
  }
  EXPECT_EQ(headers,
            "ce_specversion=1.0\nce_id=0192-7\nce_source=/comments/42/likes\nce_type=liked\n"
            "ce_time=2026-11-23T17:09:47.123Z\nce_channel=comments/42/likes\nce_message=liked\n"
            "content-type=application/json\nce_traceparent=00-ab-cd-01\n");
}

TEST(CloudEvents, an_event_comes_back_from_its_record_without_a_copy) {
  std::string tail;
  append_event_record(tail, like(), std::nullopt);
  BatchBuilder batch;
  const RecordView record = record_of(batch, tail);
  EXPECT_EQ(record.key, std::nullopt);
  const CloudEvent event = event_of(record).value();
  EXPECT_EQ(json_of(event, "c"), json_of(like(), "c"));
  EXPECT_EQ(event.extensions.find("traceparent"), "00-ab-cd-01");
  EXPECT_EQ(event.data->data(), record.value->data());
}

TEST(CloudEvents, json_data_is_a_value_without_insignificant_white_space) {
  EXPECT_EQ(json_of(like(), "0abc"),
            R"({"specversion":"1.0","id":"0192-7","source":"/comments/42/likes","type":"liked",)"
            R"("time":"2026-11-23T17:09:47.123Z","datacontenttype":"application/json","channel":"comments/42/likes",)"
            R"("message":"liked","cursor":"0abc","traceparent":"00-ab-cd-01","data":{"by":"ann","n":1.00}})");
}

TEST(CloudEvents, data_that_is_not_json_becomes_base64) {
  for (const std::string_view type : {"text/plain", "application/octet-stream", "", "application/jsonx"}) {
    CloudEvent event = like();
    event.datacontenttype = type;
    event.data = "[1]";
    const std::string json = json_of(event, "");
    EXPECT_TRUE(json.ends_with(R"(,"data_base64":"WzFd"})")) << json;
    EXPECT_FALSE(json.contains("cursor"));
  }
}

TEST(CloudEvents, data_that_lies_about_being_json_does_not_break_the_envelope) {
  CloudEvent event = like();
  event.data = "[\"open";
  const std::string json = json_of(event, "");
  EXPECT_TRUE(json.ends_with(R"("traceparent":"00-ab-cd-01","data_base64":"WyJvcGVu"})")) << json;
}

TEST(CloudEvents, absent_data_is_left_out_and_empty_data_is_not) {
  CloudEvent event = like();
  event.data = std::nullopt;
  EXPECT_TRUE(json_of(event, "").ends_with(R"("traceparent":"00-ab-cd-01"})"));
  std::string tail;
  append_event_record(tail, event, std::nullopt);
  BatchBuilder batch;
  EXPECT_EQ(event_of(record_of(batch, tail)).value().data, std::nullopt);
  event.data = "";
  EXPECT_TRUE(json_of(event, "").ends_with(R"(,"data_base64":""})"));
  tail.clear();
  append_event_record(tail, event, std::nullopt);
  EXPECT_EQ(event_of(record_of(batch, tail)).value().data, "");
}

TEST(CloudEvents, only_the_data_member_can_be_written) {
  std::string out;
  append_data_member(out, like(), ", ");
  EXPECT_EQ(out, R"(, "data":{"by":"ann","n":1.00})");
}

TEST(CloudEvents, text_in_attributes_is_escaped) {
  CloudEvent event = like();
  event.id = "a\"b\n";
  EXPECT_TRUE(json_of(event, "").contains(R"("id":"a\"b\n")"));
}

TEST(CloudEvents, a_record_that_is_no_event_is_refused) {
  using Headers = std::vector<Header>;
  const Header version{"ce_specversion", "1.0"}, id{"ce_id", "1"}, source{"ce_source", "/"}, type{"ce_type", "t"};
  const auto parse = [](const Headers& headers) {
    std::string tail;
    append_record_tail(tail, std::nullopt, "v", headers);
    BatchBuilder batch;
    const auto event = event_of(record_of(batch, tail));
    return event ? base::Result<std::string>(std::string(*event->data)) : std::unexpected(event.error());
  };
  EXPECT_TRUE(parse({version, id, source, type}));
  EXPECT_TRUE(parse({type, {"other", std::nullopt}, {"other", "x"}, source, id, version}));
  for (const Headers& headers : std::vector<Headers>{
           {},
           {id, source, type},
           {version, source, type},
           {version, id, type},
           {version, id, source},
           {{"ce_specversion", "0.3"}, id, source, type},
           {version, id, source, type, id},
           {version, id, source, type, {"ce_x", "1"}, {"ce_x", "2"}},
           {version, id, source, type, {"ce_x", std::nullopt}},
           {version, id, source, {"ce_type", std::nullopt}},
           {version, id, source, {"ce_type", ""}},
           {version, id, source, type, {"ce_X\"", "1"}},
           {version, id, source, type, {"ce_", "1"}},
       }) {
    const auto result = parse(headers);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::BadInput);
  }
}

TEST(CloudEvents, seventeen_extensions_are_too_many) {
  Extensions extensions;
  const std::string_view names = "abcdefghijklmnopq";
  for (std::size_t i = 0; i < kExtensionsMax; ++i) EXPECT_TRUE(extensions.add(names.substr(i, 1), "v"));
  EXPECT_EQ(extensions.add("q", "v").error().code, Errc::TooLarge);
  EXPECT_EQ(extensions.add("a", "v").error().code, Errc::BadInput);
  EXPECT_EQ(extensions.all().size(), kExtensionsMax);
}

TEST(CloudEvents, every_prefix_of_a_tail_is_refused) {
  std::string tail;
  append_event_record(tail, like(), "k");
  // Errors of the batch and of the record count too: what matters is that no event comes out.
  const auto id_of = [](Bytes bytes) -> base::Result<std::string> {
    RecordReader records = TRY(BatchView::parse(bytes, BatchCrc::Check)).records();
    const RecordView record = TRY(records.next());
    const CloudEvent event = TRY(event_of(record));
    return std::string(event.id);
  };
  BatchBuilder batch;
  for (std::size_t size = 0; size <= tail.size(); ++size) {
    batch.start(0, 0);
    batch.add(0, Bytes(tail).substr(0, size));
    EXPECT_EQ(id_of(std::string(batch.finish())).has_value(), size == tail.size()) << size;
  }
}

TEST(CloudEvents, attribute_names_are_lower_case_letters_and_digits) {
  EXPECT_TRUE(is_attribute_name("traceparent2"));
  for (const std::string_view name : {"", "Trace", "a_b", "a-b", "a b", "\xc3\xa9", "data"})
    EXPECT_FALSE(is_attribute_name(name));
  EXPECT_FALSE(is_attribute_name(std::string(kAttributeNameBytesMax + 1, 'a')));
}

}  // namespace
}  // namespace codec
