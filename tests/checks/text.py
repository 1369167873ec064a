# SPDX-License-Identifier: Apache-2.0
"""Words: the licence line in every source file, nothing unfinished, and no trace of the machine it was written on."""
import re

import tree

SPDX = "SPDX-License-Identifier: Apache-2.0"
SPDX_WITHIN_LINES = 3  # after a #! line, a doctype

# Written in pieces, so that this file does not find itself.
UNFINISHED = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")) + r")\b"
                        r"|\bnot (yet )?" + r"implemented\b")
MACHINE = re.compile("|".join((
    r"(?<![\w.])/wor" + r"k/", r"/roo" + r"t/", r"(?<![\w.])/hom" + r"e/\w", r"/Use" + r"rs/\w",
    r"/tmp/bas" + r"h_jobs", r"registry\.npm" + "js",
    r"deb\.debi" + "an", r"pypi\.o" + "rg", r"proxy\.gola" + "ng", r"repo1?\.ma" + "ven",
    r"crates\.i" + "o")))
TEST_HOLES = re.compile(r"\bDISABLED" + r"_\w|\bsleep_" + r"(for|until)\s*\(")

TEXT_SUFFIXES = tree.SOURCE_SUFFIXES | tree.SCRIPT_SUFFIXES | {".md", ".yaml", ".yml", ".json", ".txt"}


def needs_licence_line(root, path):
    return path.suffix in tree.SOURCE_SUFFIXES or tree.is_script(root, path)


def lines_with(pattern, path, lines, sentence):
    for number, line in enumerate(lines, 1):
        match = pattern.search(line)
        if match:
            yield tree.Finding(str(path), number, sentence.format(match.group(0).strip()))


def check(root, build=None):
    found = []
    for path in tree.files(root):
        if path.suffix not in TEXT_SUFFIXES and not tree.is_script(root, path):
            continue
        lines = tree.read(root, path).splitlines()
        if needs_licence_line(root, path) and not any(SPDX in line for line in lines[:SPDX_WITHIN_LINES]):
            found.append(tree.Finding(str(path), 1, f"the first lines lack `{SPDX}`"))
        found += lines_with(MACHINE, path, lines, "`{}` is a path of one machine or a host of a registry")
        if path.suffix != ".md":
            found += lines_with(UNFINISHED, path, lines, "`{}`: finish it, or leave it out")
            found += lines_with(TEST_HOLES, path, lines, "`{}`: wait for the event, and run every test")
    return found
