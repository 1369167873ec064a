// SPDX-License-Identifier: Apache-2.0
#include "subscribers.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace bench {

using base::Errc;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr std::size_t kOpeningMax = 64;  // half of the smallest accept queue that is usual (128)
constexpr std::uint32_t kRetriesMax = 1000;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

bool is_chunked(std::string_view head) {
  std::string lower(head);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower.find("\r\ntransfer-encoding: chunked") != lower.npos;
}

}  // namespace

Subscribers::Subscribers(int epoll, std::uint64_t first_tag, Url url)
    : epoll_(epoll), first_tag_(first_tag), url_(std::move(url)), buffer_(kReadBytes) {
  request_ = "GET " + url_.path + " HTTP/1.1\r\nHost: " + url_.host + ":" + std::to_string(url_.port) +
             "\r\nAccept: text/event-stream\r\n\r\n";
}

Result<void> Subscribers::grow_to(std::size_t count, std::size_t samples) {
  wanted_ = count;
  sample_every_ = samples == 0 ? 0 : (count + samples - 1) / samples;
  streams_.reserve(count);
  return open_more();
}

Result<void> Subscribers::open_more() {
  while (streams_.size() < wanted_ && streams_.size() - open_ < kOpeningMax) {
    streams_.emplace_back();
    TRY(connect(streams_.size() - 1));
  }
  return {};
}

Result<void> Subscribers::connect(std::size_t i) {
  Stream& stream = streams_[i];
  stream = Stream();
  stream.socket = TRY(start_connect(url_));
  stream.head = std::make_unique<std::string>();
  return watch(epoll_, stream.socket, EPOLLOUT, first_tag_ + i);
}

Result<void> Subscribers::on_ready(std::size_t i, std::uint32_t events) {
  Stream& stream = streams_[i];
  if (stream.state == State::Closed) return {};
  if (stream.state == State::Connecting) {
    if (connect_outcome(stream.socket) != 0) return on_lost(i);
    return on_connected(i);
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return {};
  const ssize_t got = ::recv(stream.socket, buffer_.data(), buffer_.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (got <= 0) return on_lost(i);
  return on_bytes(i, std::string_view(buffer_.data(), static_cast<std::size_t>(got)));
}

Result<void> Subscribers::on_connected(std::size_t i) {
  Stream& stream = streams_[i];
  stream.state = State::Opening;
  TRY(rewatch(epoll_, stream.socket, EPOLLIN, first_tag_ + i));
  return send_whole(stream.socket, request_);
}

// A connection that never opened is tried again: the server may still be starting, or its accept queue was full.
Result<void> Subscribers::on_lost(std::size_t i) {
  Stream& stream = streams_[i];
  ::close(stream.socket);
  if (stream.state == State::Streaming) {
    stream.state = State::Closed;
    ++closed_;
    return {};
  }
  if (++retried_ > kRetriesMax) return fail(Errc::Closed, "the server does not let subscribers in");
  return connect(i);
}

Result<void> Subscribers::on_bytes(std::size_t i, std::string_view bytes) {
  Stream& stream = streams_[i];
  bytes_ += bytes.size();
  if (!stream.head) {
    on_body(stream, bytes);
  } else {
    stream.head->append(bytes);
    TRY(on_head(i));
  }
  if (stream.state != State::Opening || stream.counter.blocks() == 0) return {};
  stream.state = State::Streaming;
  ++open_;
  return open_more();
}

Result<void> Subscribers::on_head(std::size_t i) {
  Stream& stream = streams_[i];
  const auto head_end = stream.head->find(kHeadEnd);
  if (head_end == std::string::npos) return {};
  const std::unique_ptr<std::string> received = std::move(stream.head);
  if (!received->starts_with("HTTP/1.1 200")) {
    std::fprintf(stderr, "%s\n", received->c_str());
    return fail(Errc::NotAllowed, "the server refused a subscriber");
  }
  if (sample_every_ != 0 && i % sample_every_ == 0) sample(i, received->substr(0, head_end + 2));
  on_body(stream, std::string_view(*received).substr(head_end + kHeadEnd.size()));
  return {};
}

void Subscribers::sample(std::size_t i, std::string_view head) {
  const auto coding = is_chunked(head) ? StreamDecoder::Coding::Chunked : StreamDecoder::Coding::Identity;
  std::size_t place = 0;  // a connection that was opened again takes its old one
  while (place < samples_.size() && samples_[place].subscriber != i) ++place;
  if (place == samples_.size()) samples_.push_back({i, StreamDecoder(coding), {}});
  samples_[place].decoder = StreamDecoder(coding);
  streams_[i].sample = static_cast<std::int32_t>(place);
}

void Subscribers::on_body(Stream& stream, std::string_view bytes) {
  const std::uint32_t before = stream.counter.events();
  stream.counter.feed(bytes);
  deliveries_ += stream.counter.events() - before;
  if (stream.sample < 0) return;
  Sample& sample = samples_[static_cast<std::size_t>(stream.sample)];
  sample.decoder.feed(bytes);
  sample.received_at_ns.resize(sample.decoder.numbers().size(), now_ns());
}

std::size_t Subscribers::short_of(std::uint32_t events) const {
  std::size_t count = 0;
  for (const Stream& stream : streams_) count += stream.counter.events() != events;
  return count;
}

}  // namespace bench
