// SPDX-License-Identifier: Apache-2.0
#include "publisher.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdlib>

namespace bench {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr int kConnectTimeoutMs = 10'000;
constexpr std::size_t kReadBytes = 16 * 1024;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

// The value of a field whose name is given as "\r\nname: " in lower case; 0 when there is none.
std::size_t content_length(std::string_view head) {
  std::string lower(head);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  constexpr std::string_view kName = "\r\ncontent-length:";
  const auto at = lower.find(kName);
  return at == lower.npos ? 0 : std::strtoul(lower.c_str() + at + kName.size(), nullptr, 10);
}

Result<int> connect_now(const Url& url) {
  const int socket = TRY(start_connect(url));
  pollfd waiting{socket, POLLOUT, 0};
  if (::poll(&waiting, 1, kConnectTimeoutMs) != 1) return fail(Errc::TimedOut, "the publish address does not answer");
  if (const int reason = connect_outcome(socket); reason != 0)
    return fail(Errc::System, "cannot connect to the publish address", reason);
  return socket;
}

}  // namespace

Result<void> Publisher::open(int epoll, std::uint64_t first_tag) {
  links_.resize(plan_.how == How::Connections ? plan_.burst_events : 1);
  for (std::size_t i = 0; i < links_.size(); ++i) {
    links_[i].socket = TRY(connect_now(plan_.url));
    TRY(watch(epoll, links_[i].socket, EPOLLIN | EPOLLRDHUP, first_tag + i));
  }
  return {};
}

// {"n":17,"pad":"xxx"} with exactly payload_bytes.
std::string Publisher::payload(std::uint32_t number) const {
  std::string text = "{\"n\":" + std::to_string(number) + ",\"pad\":\"";
  constexpr std::string_view kEnd = "\"}";
  if (text.size() + kEnd.size() < plan_.payload_bytes) text.resize(plan_.payload_bytes - kEnd.size(), 'x');
  return text.append(kEnd);
}

std::string Publisher::request(std::string_view content_type, std::string_view body) const {
  std::string text = "POST " + plan_.url.path + " HTTP/1.1\r\nHost: " + plan_.url.host + ":";
  text.append(std::to_string(plan_.url.port)).append("\r\nContent-Type: ").append(content_type);
  return text.append("\r\nContent-Length: ").append(std::to_string(body.size())).append(kHeadEnd).append(body);
}

// CloudEvents JSON format section 4: a batch is an array of events.
std::string Publisher::batch(std::uint32_t first) const {
  std::string body = "[";
  for (std::uint32_t i = 0; i < plan_.burst_events; ++i) {
    if (i != 0) body += ',';
    body.append(R"({"specversion":"1.0","type":"tick","source":"/bench","id":"n)").append(std::to_string(first + i));
    body.append(R"(","datacontenttype":"application/json","data":)").append(payload(first + i)).append("}");
  }
  return body.append("]");
}

Result<void> Publisher::publish(std::uint32_t first) {
  if (plan_.how == How::Batch) {
    ++requests_;
    return send_whole(links_[0].socket, request("application/cloudevents-batch+json", batch(first)));
  }
  requests_ += plan_.burst_events;
  std::vector<std::string> requests;
  for (std::uint32_t i = 0; i < plan_.burst_events; ++i)
    requests.push_back(request("application/json", payload(first + i)));
  if (plan_.how == How::Connections) {
    for (std::size_t i = 0; i < requests.size(); ++i) TRY(send_whole(links_[i].socket, requests[i]));
    return {};
  }
  std::string all;
  for (const std::string& one : requests) all += one;
  return send_whole(links_[0].socket, all);
}

Result<void> Publisher::on_readable(std::size_t i) {
  char bytes[kReadBytes];
  const ssize_t got = ::recv(links_[i].socket, bytes, sizeof bytes, 0);
  if (got < 0 && errno == EAGAIN) return {};
  if (got <= 0) return fail(Errc::Closed, "the server closed a publishing connection", got < 0 ? errno : 0);
  links_[i].received.append(bytes, static_cast<std::size_t>(got));
  take_answers(links_[i].received);
  return {};
}

void Publisher::take_answers(std::string& received) {
  for (;;) {
    const auto head_end = received.find(kHeadEnd);
    if (head_end == received.npos) return;
    const std::size_t bytes = head_end + kHeadEnd.size() + content_length(received.substr(0, head_end));
    if (received.size() < bytes) return;
    ++answers_;
    if (!received.starts_with("HTTP/1.1 2")) {
      ++refused_;
      if (first_refusal_.empty()) first_refusal_ = received.substr(0, bytes);
    }
    received.erase(0, bytes);
  }
}

}  // namespace bench
