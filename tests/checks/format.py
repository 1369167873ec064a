# SPDX-License-Identifier: Apache-2.0
"""The layout of C++ is clang-format's; `make format` applies it."""
import re
import shutil
import subprocess

import tree

TOOL = "clang-format-19"
FILES_AT_ONCE = 40


def check(root, build=None):
    if shutil.which(TOOL) is None:
        return [tree.Finding(".clang-format", 0, f"{TOOL} is missing: run tools/setup test")]
    paths = [str(path) for path in tree.files(root) if path.suffix in tree.SOURCE_SUFFIXES]
    wrong = {}
    for start in range(0, len(paths), FILES_AT_ONCE):
        command = [TOOL, "--dry-run", "--ferror-limit=1", *paths[start:start + FILES_AT_ONCE]]
        result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
        for path, line in re.findall(r"^(\S+?):(\d+):\d+: (?:warning|error):", result.stderr, re.MULTILINE):
            wrong.setdefault(path, int(line))
    sentence = "is not laid out by clang-format: run `make format`"
    return [tree.Finding(path, line, sentence) for path, line in wrong.items()]
