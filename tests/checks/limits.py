# SPDX-License-Identifier: Apache-2.0
"""File limits: a file that outgrows them holds two concepts."""
import tree

HEADER_LINES_MAX = 250
SOURCE_LINES_MAX = 800
SCRIPT_LINES_MAX = 800


def lines_max(root, path):
    if path.suffix == ".h":
        return HEADER_LINES_MAX
    if path.suffix == ".cc":
        return SOURCE_LINES_MAX
    return SCRIPT_LINES_MAX if tree.is_script(root, path) else None


def check(root, build=None):
    found = []
    for path in tree.files(root):
        limit = lines_max(root, path)
        if limit is None:
            continue
        lines = tree.read(root, path).splitlines()
        if len(lines) > limit:
            found.append(tree.Finding(str(path), 0, f"{len(lines)} lines, limit {limit}"))
    return found
