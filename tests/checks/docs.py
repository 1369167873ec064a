# SPDX-License-Identifier: Apache-2.0
"""Documents: relative links lead somewhere, each folder of src/ says what it is, each ADR is in the index."""
import re
from pathlib import Path

import tree

LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|!\[[^\]\n]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.MULTILINE | re.DOTALL)
INLINE_CODE = re.compile(r"`[^`\n]+`")
EXTERNAL = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def blank(pattern, text):
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group(0)), text)


def anchors(text):
    """The fragments that a reader can link to, as the usual forges make them from headings."""
    for heading in re.findall(r"^#{1,6}[ \t]+(.+?)[ \t]*#*$", blank(FENCE, text), re.MULTILINE):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        yield re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def check_links(root, path):
    text = blank(INLINE_CODE, blank(FENCE, tree.read(root, path)))
    for match in LINK.finditer(text):
        target = match.group(1) or match.group(2)
        if EXTERNAL.match(target):
            continue
        name, _, fragment = target.partition("#")
        line = text.count("\n", 0, match.start()) + 1
        place = (Path(root) / path.parent / name) if name else Path(root) / path
        if not place.exists():
            yield tree.Finding(str(path), line, f"link to {target}: there is no such file")
        elif fragment and place.suffix == ".md" and fragment not in anchors(place.read_text(encoding="utf-8")):
            yield tree.Finding(str(path), line, f"link to {target}: there is no such heading")


def check_readmes(root, paths):
    folders = {parent for path in paths if path.suffix in tree.SOURCE_SUFFIXES and path.parts[0] == "src"
               for parent in path.parents if len(parent.parts) >= 2}
    for folder in sorted(folders - {path.parent for path in paths if path.name == "README.md"}):
        yield tree.Finding(str(folder), 0, "lacks a README.md: what lives here, what it may use, where to start")


def check_decisions(root, paths):
    index = Path("docs/adr/README.md")
    decisions = [path for path in paths if path.parent == index.parent and re.match(r"\d{4}-", path.name)]
    listed = tree.read(root, index) if index in paths else ""
    for path in decisions:
        if f"({path.name})" not in listed:
            yield tree.Finding(str(path), 0, f"is not listed in {index}")
    numbers = [path.name[:4] for path in decisions]
    for path in decisions:
        if numbers.count(path.name[:4]) > 1:
            yield tree.Finding(str(path), 0, f"number {path.name[:4]} is given twice")


def check(root, build=None):
    paths = tree.files(root)
    found = [finding for path in paths if path.suffix == ".md" for finding in check_links(root, path)]
    return found + list(check_readmes(root, paths)) + list(check_decisions(root, paths))
