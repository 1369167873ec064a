# SPDX-License-Identifier: Apache-2.0
"""A folder includes only floors below it, third-party headers stand in one .cc each, and what runs on a loop
shares nothing with another thread."""
import re
from collections import defaultdict

import tree

FLOORS = ["base", "codec io", "net contract storage", "engine access", "protocols delivery sources", "admin", "server"]
LEVEL = {floor: level for level, floors in enumerate(FLOORS) for floor in floors.split()}
USES_HTTP = {"websocket", "sse", "graphql", "grpc"}  # protocols that begin as HTTP

THIRD_PARTY = {
    "simdjson": r"simdjson\.h$",
    "libyaml": r"yaml\.h$",
    "CLI11": r"CLI/",
    "OpenSSL": r"openssl/",
    "nghttp2": r"nghttp2/",
    "PCRE2": r"pcre2\.h$",
    "zlib": r"zlib\.h$",
    "librdkafka": r"librdkafka/",
    "libpq": r"libpq-fe\.h$",
    "libcurl": r"curl/",
    "protobuf": r"google/protobuf/",
}
# simdjson is used through an inline view over its document.
MAY_BE_IN_A_HEADER = {"simdjson": "src/codec/json.h"}
ONLY_IN_TESTS = re.compile(r"(gtest|gmock|benchmark)/")

NO_SHARING = ("net", "engine", "protocols")
SHARING = re.compile(
    r"#\s*include\s*<(mutex|shared_mutex|atomic|condition_variable|thread|semaphore|latch|barrier|future)>"
    r"|\b(?:std::)?(mutex|shared_mutex|recursive_mutex|lock_guard|unique_lock|scoped_lock|atomic\w*"
    r"|condition_variable\w*|volatile|thread_local|jthread|call_once|once_flag|counting_semaphore|binary_semaphore"
    r"|latch|barrier)\b"
    r"(?=\s*[<;({&*>\s])"
)


def floor_of(path):
    return path.parts[1]


def may_include(from_path, name):
    """The sentence that says why not, or None."""
    mine, theirs = floor_of(from_path), name.split("/")[0]
    if theirs not in LEVEL:
        return f'"{name}" is not on a floor of src/; write the path from src/'
    if mine == theirs == "protocols":
        return may_include_protocol(from_path, name)
    if mine != theirs and LEVEL[theirs] >= LEVEL[mine]:
        return f"{mine} may not use {theirs}: only floors below it"
    return None


def may_include_protocol(from_path, name):
    if len(from_path.parts) < 4:  # src/protocols/x.h is the seam and knows no protocol
        return None if name.count("/") == 1 else f"what all protocols share may not know one of them: {name}"
    mine, theirs = from_path.parts[2], name.split("/")[1]
    if name.count("/") == 1 or mine == theirs or (theirs == "http" and mine in USES_HTTP):
        return None
    return f"protocol {mine} may not use protocol {theirs}"


def library_of(name):
    return next((library for library, pattern in THIRD_PARTY.items() if re.match(pattern, name)), None)


def check_sharing(path, text):
    if floor_of(path) not in NO_SHARING or path.stem.endswith("_test"):
        return
    code = tree.code_of(text)
    for match in SHARING.finditer(code):
        line = code.count("\n", 0, match.start()) + 1
        yield tree.Finding(str(path), line, f"`{match.group(1) or match.group(2)}` in {floor_of(path)}: "
                           "Loop::post is the only door between threads")


def check(root, build=None):
    found, users = [], defaultdict(set)
    for path in tree.sources(root):
        if len(path.parts) < 3 or floor_of(path) not in LEVEL:
            found.append(tree.Finding(str(path), 0, "stands on no floor; see FLOORS in tests/checks/floors.py"))
            continue
        text = tree.read(root, path)
        in_test = path.stem.endswith(("_test", "_bench", "_fuzz"))
        for line, bracket, name in tree.includes(text):
            if bracket == '"':
                if in_test and name.startswith("tests/support/"):
                    continue
                problem = may_include(path, name)
                if problem:
                    found.append(tree.Finding(str(path), line, problem))
            elif ONLY_IN_TESTS.match(name) and not in_test:
                found.append(tree.Finding(str(path), line, f"<{name}> belongs in a test"))
            elif library_of(name) and not in_test:
                users[library_of(name)].add((path, line))
        found += check_sharing(path, text)
    for library, places in users.items():
        found += check_library(library, places)
    return found


def check_library(library, places):
    allowed = MAY_BE_IN_A_HEADER.get(library)
    behind_header = {path.with_suffix(".cc") for path, _ in places if str(path) == allowed}
    rest = [(path, line) for path, line in sorted(places) if str(path) != allowed and path not in behind_header]
    for path, line in rest:
        if path.suffix == ".h":
            yield tree.Finding(str(path), line, f"{library} in a header: put it into one .cc behind a header of ours")
    homes = sorted({path for path, _ in rest if path.suffix == ".cc"})
    limit = 0 if allowed and behind_header else 1
    for path in homes[limit:]:
        line = next(line for place, line in rest if place == path)
        home = homes[0] if limit else allowed
        yield tree.Finding(str(path), line, f"{library} is already used in {home}; one .cc for each library")


