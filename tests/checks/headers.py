# SPDX-License-Identifier: Apache-2.0
"""Every header compiles alone. Where a source includes it before anything else, the build has proved that already;
the others are compiled here. What was proved is remembered in the build folder by content: the header, all of ours
that it includes, and the command; only a change of these is compiled again."""
import hashlib
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tree

COMMAND = ["g++", "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wno-sign-conversion",
           "-Werror", "-x", "c++"]
ERROR_LINES_MAX = 6


def headers(root):
    """The headers that no source of the build includes first."""
    paths = [path for top in ("src", "tests") for path in tree.sources(root, top)]
    first = {first_include(root, path) for path in paths
             if path.suffix == ".cc" and not path.stem.endswith(("_fuzz", "_bench"))}
    return [path for path in paths if path.suffix == ".h" and path not in first]


def first_include(root, source):
    _, bracket, name = next(tree.includes(tree.read(root, source)), (0, "<", ""))
    return resolve(root, name) if bracket == '"' else None


def resolve(root, name):
    return next((path for path in (Path("src") / name, Path(name)) if (Path(root) / path).is_file()), None)


def closure(root, file, texts):
    """The file and every header of ours behind it."""
    seen, open_paths = set(), [file]
    while open_paths:
        path = open_paths.pop()
        if path in seen:
            continue
        seen.add(path)
        if path not in texts:
            texts[path] = tree.read(root, path)
        targets = (resolve(root, name) for _, bracket, name in tree.includes(texts[path]) if bracket == '"')
        open_paths += [target for target in targets if target]
    return sorted(seen)


def digest(root, file, texts, settings=" ".join(COMMAND)):
    """Changes when the file, anything of ours that it includes, or the settings change."""
    proof = hashlib.sha256(settings.encode())
    for path in closure(root, file, texts):
        proof.update(f"\n{path}\n{texts[path]}".encode())
    return proof.hexdigest()


def compile_alone(root, header):
    """The finding, or None. The header is included, not compiled itself, so that `#pragma once` is in its place."""
    name = header.relative_to("src") if header.parts[0] == "src" else header
    command = [*COMMAND, "-I", str(Path(root) / "src"), "-I", str(root), "-"]
    result = subprocess.run(command, input=f'#include "{name}"\n', capture_output=True, text=True, check=False)
    if result.returncode == 0:
        return None
    errors = [line for line in result.stderr.splitlines() if "error" in line][:ERROR_LINES_MAX]
    return tree.Finding(str(header), 0, "does not compile alone:\n    " + "\n    ".join(errors))


def check(root, build=None):
    proofs = Path(build) / "checks" / "headers" if build else None
    texts, open_headers = {}, []
    for header in headers(root):
        proof = digest(root, header, texts)
        if not (proofs and (proofs / proof).exists()):
            open_headers.append((header, proof))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda item: compile_alone(root, item[0]), open_headers))
    if proofs:
        proofs.mkdir(parents=True, exist_ok=True)
        for (_, proof), finding in zip(open_headers, results):
            if finding is None:
                (proofs / proof).touch()
    return [finding for finding in results if finding]
