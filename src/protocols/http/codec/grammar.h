// SPDX-License-Identifier: Apache-2.0
#pragma once
// The character classes and small productions of RFC 9110 section 5.6 and RFC 9112 that every parser here shares.
// Pure functions over views; none allocates.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace protocols::http {

// How many octets at the front of `text` are tchar (RFC 9110 section 5.6.2).
std::size_t token_length(std::string_view text);
bool is_token(std::string_view text);

// Visible ASCII, SP, HTAB and obs-text: no CR, LF, NUL or other control (RFC 9110 section 5.5).
bool is_field_value(std::string_view text);

// Visible ASCII without `" # < >`. Browsers send `{ | } ^ \` unescaped in a query (WHATWG URL), so those pass although
// RFC 3986 has no place for them; raw octets above 127 do not.
bool is_target(std::string_view text);

// `host [":" port]`: a name of letters, digits and `- . _ ~`, an IPv4 address, or an IPv6 address in brackets. Narrower
// than the reg-name of RFC 3986: sub-delims and escapes occur in no name that a server is reached by.
bool is_host(std::string_view text);

// Without SP and HTAB at both ends.
std::string_view trimmed(std::string_view text);

bool equals_ignoring_case(std::string_view a, std::string_view b);

// 1*DIGIT or 1*HEXDIG without sign or white space; nothing when empty, malformed or over 64 bits.
std::optional<std::uint64_t> decimal(std::string_view text);
std::optional<std::uint64_t> hexadecimal(std::string_view text);

// The value of one hexadecimal digit, or -1.
int hex_digit(char c);

}  // namespace protocols::http
