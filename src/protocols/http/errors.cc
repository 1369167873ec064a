// SPDX-License-Identifier: Apache-2.0
#include "protocols/http/errors.h"

#include <cerrno>

#include "codec/json_writer.h"

namespace protocols::http {

namespace {

constexpr std::string_view kRetryAfter = "Retry-After";

struct Kind {
  int status;
  std::string_view slug;
};

Kind kind_of(base::Errc code) {
  switch (code) {
    case base::Errc::BadInput: return {400, "malformed"};
    case base::Errc::Invalid: return {422, "invalid-event"};
    case base::Errc::NotFound: return {404, "no-such-channel"};
    case base::Errc::NotAllowed: return {405, "no-such-operation"};
    case base::Errc::Conflict: return {409, "conflict"};
    case base::Errc::TooLarge: return {413, "too-large"};
    case base::Errc::Unsupported: return {415, "content-type-not-served"};
    case base::Errc::Overload: return {503, "overload"};
    case base::Errc::Stopped: return {503, "stopping"};
    case base::Errc::TimedOut: return {408, "too-slow"};
    case base::Errc::Again:
    case base::Errc::Closed:
    case base::Errc::System: return {500, "internal"};
  }
  return {500, "internal"};
}

Answer retry_later(int status, std::string_view type, std::string_view detail) {
  Answer answer = problem_answer({.status = status, .type = type, .detail = detail});
  answer.fields.emplace_back(kRetryAfter, "1");
  return answer;
}

}  // namespace

Answer error_answer(const base::Error& error) {
  const Kind kind = kind_of(error.code);
  Answer answer = problem_answer({.status = kind.status, .type = kind.slug, .detail = error.text});
  if (kind.status == 503) answer.fields.emplace_back(kRetryAfter, "1");
  return answer;
}

Answer parameter_answer(std::string_view parameter, std::string_view what_is_wrong) {
  std::string detail = "query parameter `";
  detail += parameter;
  detail += "` ";
  detail += what_is_wrong;
  std::string members;
  codec::json::append_string(members, "parameter");
  members += ':';
  codec::json::append_string(members, parameter);
  return problem_answer({.status = 400, .type = "bad-parameter", .detail = detail, .members = members});
}

Answer repeated_field_answer(std::string_view name) {
  return problem_answer({.status = 400, .type = "malformed", .detail = std::string(name) + " is given twice"});
}

Answer append_answer(storage::AppendStatus status) {
  switch (status) {
    case storage::AppendStatus::Durable: break;
    case storage::AppendStatus::Conflict:
      return problem_answer({.status = 409,
                             .type = "id-reused",
                             .detail = "an event with this id was published here before with other content; "
                                       "use a new id for a new event"});
    case storage::AppendStatus::QueueFull:
      return retry_later(503, "overload", "the publish queue is full; nothing was stored, try again");
    case storage::AppendStatus::TooLarge:
      return problem_answer(
          {.status = 413, .type = "too-large", .detail = "larger than one commit may be; nothing was stored"});
    case storage::AppendStatus::NoSpace:
      return problem_answer(
          {.status = 507,
           .type = "no-space",
           .detail = "the log has no room; nothing was stored, publish again when space has been freed"});
    case storage::AppendStatus::RepeatsFull:
      return retry_later(503, "dedup-full", "the table of recent ids is full; nothing was stored, try again");
    case storage::AppendStatus::OutcomeUnknown:
      return retry_later(503, "outcome-unknown",
                         "the event may be stored or not; repeat it with the same id after the restart");
    case storage::AppendStatus::Stopped:
      return retry_later(503, "lane-stopped",
                         "the log takes no events until a restart; nothing was stored, publish again after it");
  }
  return problem_answer({.status = 500, .type = "internal"});
}

Answer file_answer(const base::Error& error) {
  const int errno_value = error.sys_errno;
  const bool exhausted = errno_value == EMFILE || errno_value == ENFILE || errno_value == ENOMEM;
  if (exhausted || error.code == base::Errc::Overload || error.code == base::Errc::Stopped)
    return retry_later(503, "overload", "the file cannot be read now; try again");
  // Whether a file is there that the server may not read is nobody's business.
  if (error.code == base::Errc::NotFound || errno_value == EACCES || errno_value == EPERM) {
    return problem_answer(
        {.status = 404, .type = "not-found", .detail = "there is no channel and no file at this path"});
  }
  if (error.code == base::Errc::TooLarge) {
    return problem_answer({.status = 500, .type = "file-too-large", .detail = "static files are served up to 16 MiB"});
  }
  return problem_answer({.status = 500, .type = "file-unreadable", .detail = error.text});
}

void append_reset_members(codec::json::Writer& json, const engine::Reset& reset) {
  json.member("reason", engine::name(reset.reason))
      .member("cursor", reset.cursor.token())
      .member("earliest", reset.earliest.token())
      .member("latest", reset.latest.token());
}

Answer gone_answer(const engine::Reset& refusal) {
  std::string object;
  codec::json::Writer json(object);
  json.begin_object();
  append_reset_members(json, refusal);
  json.end_object();
  return problem_answer({.status = 410,
                         .type = "position-gone",
                         .detail = "events after the given position are not all there; go on from `cursor`, or from "
                                   "`earliest` to read what is left",
                         .members = std::string_view(object).substr(1, object.size() - 2)});
}

}  // namespace protocols::http
