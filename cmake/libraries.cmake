# SPDX-License-Identifier: Apache-2.0
# Third-party libraries, all of them Debian packages. Each is used by the one floor that names it.

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
add_library(yaml::yaml ALIAS PkgConfig::YAML)
if(TIDEWIRE_TESTS)
  find_package(GTest REQUIRED)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()
