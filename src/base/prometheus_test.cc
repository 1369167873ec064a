// SPDX-License-Identifier: Apache-2.0
#include "base/prometheus.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Prometheus, writes_help_type_and_samples_of_a_family) {
  std::string out;
  Prometheus text(out);
  text.family("tw_events_total", "Events.", Prometheus::Kind::Counter);
  text.sample({{"loop", "0"}, {"side", "a\"b\\c\n"}}, 3);
  text.family("tw_open", "Open.", Prometheus::Kind::Gauge);
  text.sample(18'446'744'073'709'551'615u);
  EXPECT_EQ(out,
            "# HELP tw_events_total Events.\n# TYPE tw_events_total counter\n"
            "tw_events_total{loop=\"0\",side=\"a\\\"b\\\\c\\n\"} 3\n"
            "# HELP tw_open Open.\n# TYPE tw_open gauge\ntw_open 18446744073709551615\n");
}

}  // namespace
}  // namespace base
