# SPDX-License-Identifier: Apache-2.0
"""Each rule finds the defect it is there for: a small tree with one deliberate fault, and its sound twin."""
import importlib.machinery
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

import docs
import floors
import format as layout
import headers
import limits
import limits_doc
import symbols
import text

SPDX = "SPDX-License-Identifier: Apache-2.0"
HEAD = f"// {SPDX}\n"
GUARD = f"{HEAD}#pragma once\n"


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def write(self, name, content):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")

    def finds(self, rule, count, word, build=None):
        findings = rule.check(self.root, build)
        self.assertEqual(len(findings), count, "\n".join(map(str, findings)))
        for finding in findings:
            self.assertIn(word, str(finding))


class Floors(Tree):
    def test_a_lower_floor_may_not_include_a_higher_one(self):
        self.write("src/base/a.h", GUARD + '#include "engine/b.h"\n')
        self.write("src/engine/b.h", GUARD + '#include "base/a.h"\n')
        self.finds(floors, 1, "base may not use engine")

    def test_floors_side_by_side_do_not_see_each_other(self):
        self.write("src/net/a.h", GUARD + '#include "storage/b.h"\n')
        self.finds(floors, 1, "net may not use storage")

    def test_only_some_protocols_use_http(self):
        self.write("src/protocols/sse/a.h", GUARD + '#include "protocols/http/b.h"\n#include "protocols/protocol.h"\n')
        self.write("src/protocols/mqtt/a.h", GUARD + '#include "protocols/http/b.h"\n')
        self.finds(floors, 1, "mqtt may not use protocol http")

    def test_the_seam_knows_no_protocol(self):
        self.write("src/protocols/protocol.h", GUARD + '#include "protocols/http/b.h"\n')
        self.finds(floors, 1, "may not know one of them")

    def test_a_relative_include_is_not_on_a_floor(self):
        self.write("src/net/a.cc", HEAD + '#include "b.h"\n')
        self.finds(floors, 1, "not on a floor")

    def test_a_folder_beside_the_floors_is_found(self):
        self.write("src/attic/a.cc", HEAD)
        self.finds(floors, 1, "stands on no floor")

    def test_a_library_may_not_stand_in_a_header(self):
        self.write("src/contract/a.h", GUARD + "#include <yaml.h>\n")
        self.finds(floors, 1, "libyaml in a header")

    def test_a_library_has_one_home(self):
        self.write("src/contract/a.cc", HEAD + "#include <yaml.h>\n")
        self.write("src/contract/a_test.cc", HEAD + "#include <yaml.h>\n")
        self.finds(floors, 0, "")
        self.write("src/server/b.cc", HEAD + "#include <yaml.h>\n")
        self.finds(floors, 1, "already used in src/contract/a.cc")

    def test_simdjson_may_stand_in_its_one_header(self):
        self.write("src/codec/json.h", GUARD + "#include <simdjson.h>\n")
        self.write("src/codec/json.cc", HEAD + "#include <simdjson.h>\n")
        self.finds(floors, 0, "")
        self.write("src/codec/other.cc", HEAD + "#include <simdjson.h>\n")
        self.finds(floors, 1, "already used in src/codec/json.h")

    def test_gtest_belongs_in_a_test(self):
        self.write("src/base/a.cc", HEAD + "#include <gtest/gtest.h>\n")
        self.write("src/base/a_test.cc", HEAD + '#include <gtest/gtest.h>\n#include "tests/support/world.h"\n')
        self.finds(floors, 1, "belongs in a test")

    def test_a_loop_shares_nothing(self):
        for floor in ("net", "engine", "protocols/http"):
            self.write(f"src/{floor}/a.cc", HEAD + "std::atomic<int> x;\nstd::mutex m;\n// an atomic act\n")
        self.write("src/storage/a.cc", HEAD + "std::atomic<int> x;\n")
        self.finds(floors, 6, "Loop::post is the only door")

    def test_a_sharing_header_is_found_without_a_use(self):
        self.write("src/engine/a.cc", HEAD + "#include <atomic>\n")
        self.finds(floors, 1, "Loop::post is the only door")


class Headers(Tree):
    def test_a_header_that_leans_on_its_includer_is_found(self):
        self.write("src/base/good.h", GUARD + "#include <string>\ninline std::string a() { return {}; }\n")
        self.write("src/base/bad.h", GUARD + "inline std::string b() { return {}; }\n")
        self.finds(headers, 1, "src/base/bad.h: does not compile alone")

    def test_only_a_first_include_spares_the_compiler(self):
        self.write("src/base/a.h", GUARD + "inline std::string a() { return {}; }\n")
        self.write("src/base/a.cc", HEAD + '#include <string>\n#include "base/a.h"\n')
        self.finds(headers, 1, "src/base/a.h: does not compile alone")
        self.write("src/base/a.cc", HEAD + '#include "base/a.h"\n#include <string>\n')
        self.finds(headers, 0, "")

    def test_a_proof_ends_with_a_change_behind_the_header(self):
        build = self.root / "build"
        self.write("src/base/below.h", GUARD + "struct Below {};\n")
        self.write("src/net/above.h", GUARD + '#include "base/below.h"\ninline Below x() { return {}; }\n')
        self.finds(headers, 0, "", build)
        self.write("src/base/below.h", GUARD + "struct Renamed {};\n")
        self.finds(headers, 1, "src/net/above.h", build)
        self.finds(headers, 1, "src/net/above.h", build)


class Limits(Tree):
    def test_each_kind_of_file_has_its_limit(self):
        self.write("src/base/a.h", "\n" * 250)
        self.write("src/base/a.cc", "\n" * 800)
        self.write("tools/a", "#!/bin/sh\n" + "\n" * 799)
        self.finds(limits, 0, "")
        self.write("src/base/a.h", "\n" * 251)
        self.write("src/base/a.cc", "\n" * 801)
        self.write("tools/a", "#!/bin/sh\n" + "\n" * 800)
        self.finds(limits, 3, "limit")


class LimitsDoc(Tree):
    def page(self, row):
        self.write("src/net/a.h", GUARD + "inline constexpr std::size_t kQueueBytesMax = 64 << 10;  // then it is full\n")
        self.write("docs/limits.md", f"| name | value |\n|---|---|\n{row}")

    def test_a_limit_stands_on_the_page_with_its_value(self):
        self.page("| `kQueueBytesMax` | 64 KiB |\n")
        self.finds(limits_doc, 0, "")

    def test_a_limit_that_the_page_lacks_is_found(self):
        self.page("")
        self.finds(limits_doc, 1, "is a limit and not in")

    def test_another_value_on_the_page_is_found(self):
        self.page("| `kQueueBytesMax` | 64 MiB |\n")
        self.finds(limits_doc, 1, "another value")

    def test_a_limit_that_is_gone_is_found(self):
        self.page("| `kQueueBytesMax` | 64 KiB |\n| `kGoneMax` | 1 |\n")
        self.finds(limits_doc, 1, "no source names")


class Text(Tree):
    def test_a_source_without_the_licence_line_is_found(self):
        self.write("src/base/a.cc", "int x;\n")
        self.write("tools/a", "#!/bin/sh\nexit\n")
        self.write("tools/b", f"#!/bin/sh\n# {SPDX}\n")
        self.finds(text, 2, "lack")

    def test_unfinished_work_is_found(self):
        for word in ("TO" + "DO", "FIX" + "ME", "not yet " + "implemented"):
            self.write("src/base/a.cc", f"{HEAD}// {word}: later\n")
            self.finds(text, 1, word)

    def test_a_path_of_one_machine_is_found(self):
        for word in ("/roo" + "t/x", "/hom" + "e/me/x", "/wor" + "k/main", "deb.debi" + "an.org"):
            self.write("README.md", f"see {word}\n")
            self.finds(text, 1, "one machine")

    def test_a_test_that_does_not_run_or_sleeps_is_found(self):
        self.write("src/base/a_test.cc", f"{HEAD}TEST(A, DISABLED" + "_b) {}\nsleep_" + "for(1s);\n")
        self.finds(text, 2, "wait for the event")


class Docs(Tree):
    def test_a_dead_link_is_found(self):
        self.write("b.md", "# Some heading, `quoted`\n")
        self.write("a.md", "[b](b.md) [h](b.md#some-heading-quoted) [out](https://example.org) `[c](none.md)`\n"
                   "```\n[d](none.md)\n```\n")
        self.finds(docs, 0, "")
        self.write("a.md", "[c](none.md) [h](b.md#other)\n")
        self.finds(docs, 2, "there is no such")

    def test_a_folder_of_sources_says_what_it_is(self):
        self.write("src/protocols/http/a.cc", HEAD)
        self.write("src/protocols/README.md", "# protocols\n")
        self.finds(docs, 1, "src/protocols/http: lacks a README.md")

    def test_a_decision_is_in_the_index_and_has_its_own_number(self):
        self.write("docs/adr/README.md", "[one](0001-one.md)\n[two](0001-two.md)\n")
        self.write("docs/adr/0001-one.md", "# one\n")
        self.write("docs/adr/0001-two.md", "# two\n")
        self.finds(docs, 2, "given twice")
        self.write("docs/adr/README.md", "[one](0001-one.md)\n")
        (self.root / "docs/adr/0001-two.md").rename(self.root / "docs/adr/0002-two.md")
        self.finds(docs, 1, "is not listed")


class Format(Tree):
    def test_a_file_in_another_layout_is_found(self):
        self.write(".clang-format", "BasedOnStyle: Google\n")
        self.write("src/base/good.cc", f"{HEAD}int x;\n")
        self.finds(layout, 0, "")
        self.write("src/base/bad.cc", f"{HEAD}int   x ;\n")
        self.finds(layout, 1, "src/base/bad.cc:2: is not laid out")


class Symbols(Tree):
    def archive(self, floor, name, source):
        """src/<floor>/<name>.cc compiled into libtw_<floor>.a."""
        self.write(f"src/{floor}/{name}.cc", source)
        folder = self.root / "src" / floor
        subprocess.run(["g++", "-std=c++23", "-O1", "-c", f"{name}.cc", "-o", f"{name}.cc.o"], cwd=folder, check=True)
        library = self.root / f"libtw_{floor}.a"
        library.unlink(missing_ok=True)
        subprocess.run(["ar", "rcs", library, f"{name}.cc.o"], cwd=folder, check=True)

    def test_what_only_computes_is_free(self):
        self.archive("codec", "a", "#include <string>\n#include <cstring>\n#include <cmath>\n#include <charconv>\n"
                     "#include <map>\n#include <memory>\n#include <functional>\n#include <algorithm>\n"
                     "double f(std::map<std::string, double>& m, const char* s) {\n"
                     "  m[s] = std::pow(strtod(s, nullptr), m.size());\n"
                     "  return m.at(std::to_string(strlen(s)));\n}\n"
                     "auto g(int x) { return std::make_shared<std::function<int()>>([x] { return x; }); }\n")
        self.finds(symbols, 0, "", self.root)

    def test_every_world_is_guarded(self):
        for source in ("#include <unistd.h>\nlong f() { char c; return read(0, &c, 1); }",
                       "#include <sys/socket.h>\nint f() { return socket(1, 1, 0); }",
                       "#include <sys/epoll.h>\nint f() { return epoll_create1(0); }",
                       "#include <ctime>\nlong f() { return time(nullptr); }",
                       "#include <chrono>\nauto f() { return std::chrono::steady_clock::now(); }",
                       "#include <chrono>\nauto f() { return std::chrono::system_clock::now(); }",
                       "#include <thread>\nvoid f() { std::thread([] {}).join(); }",
                       "#include <mutex>\nstd::mutex m; void f() { m.lock(); }",
                       "#include <condition_variable>\nvoid f(std::condition_variable& c) { c.notify_one(); }",
                       "#include <random>\nunsigned f() { return std::random_device{}(); }",
                       "#include <cstdlib>\nint f() { return rand(); }",
                       "#include <cstdlib>\nchar* f() { return getenv(\"A\"); }",
                       "#include <cstdio>\nvoid* f() { return fopen(\"a\", \"r\"); }",
                       "#include <fstream>\nvoid f() { std::ifstream a(\"a\"); }",
                       "#include <filesystem>\nbool f() { return std::filesystem::exists(\"a\"); }",
                       "#include <iostream>\nvoid f() { std::cout << 1; }",
                       "#include <sys/timerfd.h>\nint f() { return timerfd_create(0, 0); }",
                       "#include <unistd.h>\nvoid f() { usleep(1); }"):
            with self.subTest(source):
                self.archive("engine", "a", source + "\n")
                self.assertTrue(symbols.check(self.root, self.root))

    def test_io_is_where_system_calls_live(self):
        self.archive("io", "a", "#include <unistd.h>\nlong f() { char c; return read(0, &c, 1); }\n")
        self.finds(symbols, 0, "", self.root)

    def test_an_exception_is_for_one_object_only(self):
        source = "#include <cstdio>\nvoid f(const char* s) { std::fputs(s, stderr); }\n"
        self.archive("base", "result", source)
        self.finds(symbols, 0, "", self.root)
        self.archive("base", "varint", source)
        self.finds(symbols, 2, "varint.cc: links `", self.root)

    def test_a_library_that_is_not_built_is_no_proof(self):
        self.write("src/base/a.cc", HEAD)
        self.finds(symbols, 1, "is not built", self.root)


class Summary(Tree):
    """What closes `make test` may not call anything red green."""

    def counts(self, entries, cases=None):
        self.write("ctest.xml", f"<testsuite>{entries}</testsuite>")
        for name, content in (cases or {}).items():
            self.write(f"results/{name}.xml", f"<testsuites><testsuite>{content}</testsuite></testsuites>")
        script = Path(__file__).resolve().parents[2] / "tools" / "test_summary"
        module = types.ModuleType("test_summary")
        importlib.machinery.SourceFileLoader("test_summary", str(script)).exec_module(module)
        counts, _ = module.folder_counts(self.root)
        return counts["passed"], counts["failed"], counts["skipped"]

    def test_cases_count_where_a_program_tells_them(self):
        cases = {"unit.a": '<testcase result="completed"/><testcase result="completed"><failure/></testcase>'
                           '<testcase result="skipped"/>'}
        entries = '<testcase name="unit.a" status="fail"/><testcase name="checks.b" status="run"/>'
        self.assertEqual(self.counts(entries, cases), (2, 1, 1))

    def test_a_crash_after_the_last_case_is_a_failure(self):
        cases = {"unit.a": '<testcase result="completed"/>'}
        self.assertEqual(self.counts('<testcase name="unit.a" status="fail"/>', cases), (1, 1, 0))

    def test_a_program_that_is_not_there_is_a_failure_and_a_skip_is_not(self):
        entries = ('<testcase name="a" status="notrun"><skipped message="Unable to find executable"/></testcase>'
                   '<testcase name="b" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/></testcase>')
        self.assertEqual(self.counts(entries), (0, 1, 1))

    def test_no_test_at_all_is_a_failure(self):
        self.assertEqual(self.counts(""), (0, 1, 0))


def run():
    sys.dont_write_bytecode = True
    suite = unittest.defaultTestLoader.loadTestsFromModule(__import__(__name__))
    return 0 if unittest.TextTestRunner().run(suite).wasSuccessful() else 1
