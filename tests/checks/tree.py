# SPDX-License-Identifier: Apache-2.0
"""What the rules look at: the files of the project, their text without comments, and what a rule has found."""
import os
import re
from dataclasses import dataclass
from pathlib import Path

IGNORED_FOLDERS = {".git", ".cache", "build", "node_modules", "tidewire-data", "__pycache__"}
SOURCE_SUFFIXES = {".h", ".cc"}
SCRIPT_SUFFIXES = {".py", ".sh", ".js", ".mjs", ".ts", ".tsx", ".cmake", ".html", ".css"}
SCRIPT_NAMES = {"Makefile", "CMakeLists.txt"}


@dataclass(frozen=True, order=True)
class Finding:
    path: str  # relative to the root
    line: int  # 0 where a finding is about the whole file
    text: str  # one sentence: what is wrong and what would be right

    def __str__(self):
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.text}"


def files(root):
    """Every file of the project, relative to its root, in a stable order."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in IGNORED_FOLDERS)
        found += [(Path(folder) / name).relative_to(root) for name in names]
    return sorted(found)


def sources(root, top="src"):
    return [path for path in files(root) if path.suffix in SOURCE_SUFFIXES and path.parts[0] == top]


def is_script(root, path):
    if path.suffix in SCRIPT_SUFFIXES or path.name in SCRIPT_NAMES:
        return True
    return not path.suffix and read(root, path).startswith("#!")


def read(root, path):
    return (Path(root) / path).read_text(encoding="utf-8", errors="replace")


_SKIPPED = re.compile(
    r'R"(?P<mark>[^()\\\s]{0,16})\((?:.|\n)*?\)(?P=mark)"'  # raw strings
    r'|"(?:\\.|[^"\\\n])*"'  # strings
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'"  # characters, but not the separators of 1'000
    r"|//[^\n]*|/\*(?:.|\n)*?\*/"
)


def code_of(text):
    """C++ text with the insides of comments and literals blanked; lines and columns of the rest do not move."""

    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))

    return _SKIPPED.sub(blank, text)


_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def includes(text):
    """(line, bracket, name) of each #include."""
    for match in _INCLUDE.finditer(text):
        yield text.count("\n", 0, match.start(1)) + 1, match.group(1), match.group(2)
