// SPDX-License-Identifier: Apache-2.0
#pragma once
// What gives a connection's bytes meaning. The state of a connection is which handler is installed.
//
// Thread: the connection's loop. The connection owns its handler and destroys it at the end of the turn in which it
// closed or was upgraded; a handler needs no further notice of its end.
#include <cstddef>

#include "base/bytes.h"
#include "base/result.h"

namespace net {

class Connection;

class Handler {
 public:
  virtual ~Handler() = default;

  // Returns how many of the bytes were consumed; the rest is shown again with more behind it, or when
  // Connection::show_input() asks for it. An error closes the connection at once: what a peer should be told
  // is sent before, with Connection::close_after_sending().
  virtual base::Result<std::size_t> on_bytes(Connection&, base::Bytes) = 0;

  virtual void on_open(Connection&) {}                 // it was installed: time limits begin here
  virtual void on_end(Connection&);                    // the peer finished sending; closes unless overridden
  virtual void on_drained(Connection&) {}              // after tell_when_drained(): nothing is queued any more
  virtual void on_failed(Connection&, base::Error) {}  // the socket failed or on_bytes did; the connection closes
  virtual void on_timeout(Connection&);   // the time given to set_timeout() is over; closes unless overridden
  virtual void on_shutdown(Connection&);  // the program ends: say goodbye and close; closes unless overridden
};

}  // namespace net
