// SPDX-License-Identifier: Apache-2.0
#pragma once
// What can happen: Result<T> carries a value or an Error. What cannot happen: CHECK.
//
// Error is 24 bytes, copyable and never allocates: a code, a static text, and errno where a system call failed.
// A text says what is wrong and, where the reader can do something about it, what. What a peer is told about an
// error is decided in one errors.cc per protocol, by code.
#include <cstdint>
#include <expected>
#include <utility>

namespace base {

enum class Errc : std::uint8_t {
  BadInput,     // what a peer or a file says is not well-formed
  Invalid,      // well-formed, but not what the contract allows
  NotFound,     // no such channel, file, address
  NotAllowed,   // exists, but not for this side or operation
  Conflict,     // the same key with another content
  TooLarge,     // over a named limit
  Unsupported,  // legal, but not served by this version
  Overload,     // a bounded queue is full; try again later
  Stopped,      // the owner stops or has stopped
  TimedOut,     // a named time limit passed
  Again,        // nothing can be done now; a readiness event follows
  Closed,       // the other end is gone
  System,       // a system call failed; see sys_errno
};

const char* name(Errc);

struct Error {
  Errc code;
  const char* text;   // static storage, one sentence without a full stop
  int sys_errno = 0;  // 0 unless code stems from a system call
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(Errc code, const char* text, int sys_errno = 0) {
  return std::unexpected(Error{code, text, sys_errno});
}

[[noreturn]] void broken(const char* file, int line, const char* condition, const char* sentence);

// `T` of a Result<T> (or any std::expected), or return its error from the enclosing function. The only macro beside
// CHECK.
#define TRY(expression)                            \
  __extension__({                                  \
    auto&& try_result = (expression);              \
    if (!try_result) [[unlikely]]                  \
      return std::unexpected(try_result.error());  \
    base::detail::value_of(std::move(try_result)); \
  })

// An invariant, in release builds too: a broken one says one sentence and stops the process.
#define CHECK(condition, sentence)                            \
  do {                                                        \
    if (!(condition)) [[unlikely]]                            \
      base::broken(__FILE__, __LINE__, #condition, sentence); \
  } while (false)

namespace detail {
template <class T, class E>
T value_of(std::expected<T, E>&& r) {
  return *std::move(r);
}
template <class E>
void value_of(std::expected<void, E>&&) {}
}  // namespace detail

}  // namespace base
