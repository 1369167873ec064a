# SPDX-License-Identifier: Apache-2.0
# Compiler cache, linker, warnings and sanitizers: the same for every target.

find_program(CCACHE ccache)
if(CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # With its base folder known, and no path in what is compiled (below), another clone finds what this one compiled.
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wno-sign-conversion -Werror -fno-omit-frame-pointer)

# No path of the building machine in a binary: sources are named from the root of the project. The cache hands them
# to the compiler relative to the build folder, hence the second line.
file(RELATIVE_PATH root_from_build ${PROJECT_BINARY_DIR} ${PROJECT_SOURCE_DIR})
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${root_from_build}/=
                    -fdebug-prefix-map=${PROJECT_BINARY_DIR}=.)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # g++ is the compiler of record; clang, which only fuzzes and lints, warns about other conversions.
  add_compile_options(-Wconversion)
endif()

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-D_FORTIFY_SOURCE=2 -fstack-protector-strong)
  add_link_options(-Wl,-z,relro,-z,now)
else()
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()

if(TIDEWIRE_SANITIZE)
  add_compile_options(-fsanitize=${TIDEWIRE_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${TIDEWIRE_SANITIZE})
endif()
if(TIDEWIRE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "TIDEWIRE_FUZZ needs clang++: use `cmake --preset fuzz`")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
