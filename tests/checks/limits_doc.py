# SPDX-License-Identifier: Apache-2.0
"""docs/limits.md has every limit that a header names, with the value that the code has, and nothing that is gone."""
import re
from pathlib import Path

import tree

PAGE = Path("docs/limits.md")
CONSTANT = re.compile(r"\bconstexpr\b[^;=(]*?\b(k[A-Z]\w*?)\s*=\s*([^;]+);")
MEMBER = re.compile(r"^\s+(?:std::)?(?:uint\d+_t|size_t|u?int|unsigned)\s+(\w+_(?:max|ns))\s*=\s*([\d'*<u\s-]+);", re.MULTILINE)
IS_LIMIT = re.compile(r"(Max|Min|Most|Default|Ns|NsMax|NsMin)$")
ROW = re.compile(r"^\|\s*`(?:\w+::)?(\w+)`\s*\|([^|]*)\|", re.MULTILINE)
NUMBER = re.compile(r"^\(?[\d\s()'*<+u{}-]+\)?$")
UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "ms": 10**6, "s": 10**9, "min": 60 * 10**9}


def declared(root):
    """(path, line, name, expression) of each constant and bounded member; names of tests are not the program's."""
    for path in tree.sources(root):
        if re.search(r"_test|_fuzz|test_stage|_testing|_transcript|scripted_", path.name):
            continue
        code = tree.code_of(tree.read(root, path))
        for pattern in (CONSTANT, MEMBER):
            for match in pattern.finditer(code):
                yield path, code.count("\n", 0, match.start(1)) + 1, match.group(1), match.group(2).strip()


def value_of(expression):
    plain = re.sub(r"(?<=\d)'(?=\d)|(?<=\d)u\b|std::size_t", "", expression).replace("{", "(").replace("}", ")")
    if not NUMBER.match(plain) or re.search(r"\b0\d", plain):
        return None  # names another constant, or is no decimal number
    return eval(plain, {"__builtins__": {}})  # digits and operators alone


def amount_of(text):
    match = re.match(r"\s*([\d,.]+)\s*(\w*)", text)
    number = float(match.group(1).replace(",", "")) if match else None
    return None if number is None else number * UNITS.get(match.group(2), 0)


def check(root, build=None):
    root = Path(root)
    if not (root / PAGE).exists():
        return [tree.Finding(str(PAGE), 0, "there is no such page")]
    text = tree.read(root, PAGE)
    rows = [(text.count("\n", 0, row.start()) + 1, row.group(1), amount_of(row.group(2))) for row in ROW.finditer(text)]
    listed = {name for _, name, _ in rows}
    known, found = {}, []
    for path, line, name, expression in declared(root):
        known.setdefault(name, set()).add(value_of(expression))
        # A member that begins at 0 bounds nothing: it is a value, or somebody fills it in.
        is_limit = IS_LIMIT.search(name) if name.startswith("k") else value_of(expression) != 0
        if path.suffix == ".h" and is_limit and name not in listed:
            found.append(tree.Finding(str(path), line, f"`{name}` is a limit and not in {PAGE}"))
    for line, name, amount in rows:
        if name not in known:
            found.append(tree.Finding(str(PAGE), line, f"no source names `{name}` any more"))
        elif None not in known[name] and amount not in known[name]:
            found.append(tree.Finding(str(PAGE), line, f"`{name}` has another value in the sources"))
    return found
