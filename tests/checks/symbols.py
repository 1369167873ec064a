# SPDX-License-Identifier: Apache-2.0
"""System calls, clocks, threads, randomness and files are linked in io/ and in server/main.cc only.

Reads the undefined symbols of each floor's library, so nothing can hide behind an include. A C function must be
known to be pure (PURE, PURE_FAMILIES) or be excepted with a reason; a C++ symbol must not name a source of time,
threads, randomness or I/O. So a system call that nobody thought of is found too.
"""
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path

import tree

FREE_FLOORS = {"io"}

PURE = set("""
  abort qsort bsearch malloc calloc realloc free aligned_alloc posix_memalign snprintf vsnprintf sscanf gmtime_r timegm
  errno htonl htons ntohl ntohs inet_pton inet_ntop div ldiv abs labs memccpy memchr memcmp memcpy memmem memmove
  memrchr memset mempcpy stpcpy stpncpy explicit_bzero bcmp ffs ffsl ffsll
""".split())
PURE_FAMILIES = re.compile(
    r"str(len|nlen|n?cmp|n?casecmp|n?cpy|n?cat|chr|chrnul|rchr|str|casestr|spn|cspn|pbrk|tok_r|sep|n?dup|coll|xfrm)$"
    r"|str(to(l|ll|ul|ull|imax|umax|f|d|ld)|error_r|errorname_np|errordesc_np|error)$"
    r"|is(al(num|pha)|blank|cntrl|x?digit|graph|lower|print|punct|space|upper)$|to(lower|upper)$"
    r"|(sin|cos|tan|exp|exp2|log|log2|log10|log1p|pow|sqrt|cbrt|floor|ceil|round|l?lround|l?lrint|trunc|fmod|fabs|ldexp"
    r"|frexp|modf|hypot|nearbyint|rint|scalbn|fmin|fmax|logb|ilogb)[fl]?$"
    r"|_GLOBAL_OFFSET_TABLE_$|__cpu_(model|features2|indicator_init)$|_Unwind_|__dso_handle$"
    r"|__(gxx_personality_v0|cxa_)"
    r"|__stack_chk_fail$|__errno_location$|__libc_single_threaded$|__tls_get_addr$|__ctype_|__assert_fail$"
    r"|__u?(div|mod|mul)[a-z]*[dt]i\d?$|__(pop|clz|ctz|ffs|bswap)[a-z]*i2$|__float\w+$|__\w*tf[23]$"
    r"|__isoc(99|23)_(sscanf|strto)|__(mem|st[rp])\w+_chk$|__v?snprintf_chk$"
)
# The C interfaces of libraries that only compute. Those that do I/O are named apart.
PURE_YAML = r"yaml_(?!parser_set_input_file|emitter_set_output_file)"
LIBRARY_FAMILIES = {"contract": PURE_YAML, "server": PURE_YAML}

IMPURE_CXX = re.compile(
    r"std::chrono::(_V2::)?\w+_clock::now"
    r"|std::(__\w+::)?(j?thread|this_thread|mutex|shared_mutex|recursive_mutex|timed_mutex|condition_variable\w*"
    r"|random_device|__future_base|async|__once_\w+|counting_semaphore|__atomic_futex\w*)\b"
    r"|std::(filesystem|__basic_file|w?c(in|out|err|log)\b|ios_base::Init|__cxx11::basic_\w*fstream)"
    r"|std::basic_(i|o)?f(ile)?(stream|buf)\b|std::locale::(global|locale\(char const\*)"
    r"|fmt::v\d+::(v?print|\w*file|ostream|report_system_error)|simdjson::padded_string::load"
)

STREAMS = r"stdout|stderr|(__)?v?f?printf(_chk)?|fwrite(_unlocked)?|fput[cs]|puts|putchar|putc|fflush"
FMT_STREAMS = r"fmt::v\d+::vprint\(.*"
# floor, object of its library, symbols, reason
EXCEPTIONS = [
    ("base", "result.cc.o", STREAMS, "a broken invariant says one sentence and stops the process"),
    ("base", "log*.cc.o", rf"{STREAMS}|{FMT_STREAMS}", "the log's sink is the standard error stream"),
    ("server", "*", rf"{STREAMS}|{FMT_STREAMS}", "commands answer on the standard streams"),
]
# CLI11 is a header with readers for files and the environment, which its users compile whether they use them or not.
CLI11_INCLUDE = re.compile(r"CLI/")
CLI11_SYMBOLS = re.compile(r"(?!.*_clock::now)((?:V\w+ for |vtable for )?std::|getenv$|stat$|f?stat64$|exit$|signal$)")


def undefined(archive):
    """(object, name as linked, name as written) of each undefined symbol."""
    command = ["nm", "-u", "-A", str(archive)]
    linked, written = (subprocess.run([*command, *more], capture_output=True, text=True, check=True).stdout.splitlines()
                       for more in ([], ["-C"]))
    for raw, readable in zip(linked, written):
        match = re.match(r"[^:]*:([^:]+): +U (.+)", raw)
        if match:
            yield match.group(1), match.group(2), readable.split(" U ", 1)[1]


def is_pure(floor, linked, written):
    if linked.startswith("_Z"):
        return not IMPURE_CXX.search(written)
    library = LIBRARY_FAMILIES.get(floor)
    return linked in PURE or bool(PURE_FAMILIES.match(linked)) or bool(library and re.match(library, linked))


def is_excepted(floor, where, written, cli11_objects):
    if where in cli11_objects and CLI11_SYMBOLS.match(written):
        return True
    return any(floor == its_floor and fnmatch(where, its_object) and re.fullmatch(symbols, written)
               for its_floor, its_object, symbols, _ in EXCEPTIONS)


def check_archive(root, floor, archive):
    cli11_objects = {f"{path.name}.o" for path in tree.sources(root) if path.parts[1] == floor
                     and any(CLI11_INCLUDE.match(name) for _, _, name in tree.includes(tree.read(root, path)))}
    for where, linked, written in undefined(archive):
        if not is_pure(floor, linked, written) and not is_excepted(floor, where, written, cli11_objects):
            place = f"src/{floor}/**/{where.removesuffix('.o')}"
            yield tree.Finding(place, 0, f"links `{written}`: this belongs behind a world of io/")


def floors_with_sources(root):
    return sorted({path.parts[1] for path in tree.sources(root) if path.suffix == ".cc" and path.name != "main.cc"
                   and not path.stem.endswith(("_test", "_fuzz", "_bench"))} - FREE_FLOORS)


def check(root, build=None):
    found = set()
    for floor in floors_with_sources(root):
        archive = Path(build) / f"libtw_{floor}.a"
        if archive.exists():
            found |= set(check_archive(root, floor, archive))
        else:
            sentence = f"{archive.name} is not built, so nothing is known of its symbols"
            found.add(tree.Finding(f"src/{floor}", 0, sentence))
    return sorted(found)
