// SPDX-License-Identifier: Apache-2.0
#pragma once
// How the program ends; the numbers of sysexits.h.

namespace server {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFinding = 1;         // a check found something; a server said no
inline constexpr int kExitUsage = 64;          // the command line
inline constexpr int kExitInternal = 70;       // a broken invariant
inline constexpr int kExitInputOutput = 74;    // files and sockets
inline constexpr int kExitConfiguration = 78;  // contracts and settings that cannot be served

}  // namespace server
