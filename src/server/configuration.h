// SPDX-License-Identifier: Apache-2.0
#pragma once
// tidewire.yaml: unknown keys, wrong types and impossible values are located errors that suggest what was meant.
#include <string>
#include <string_view>

#include "contract/findings.h"
#include "server/settings.h"

namespace server {

inline constexpr std::uint64_t kConfigurationBytesMax = 1 << 20;  // of tidewire.yaml

// Applies the text of `file` to the settings. Paths in it are relative to its folder.
void read_configuration(const std::string& file, std::string_view text, Settings&, contract::Findings&);

// `none` or an endpoint; Errc::BadInput with the accepted forms.
base::Result<std::optional<io::Endpoint>> parse_listener(std::string_view text);

// `none`, which is nothing, or the directory of the log.
std::optional<std::string> parse_data(std::string_view text);

}  // namespace server
