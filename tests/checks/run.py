# SPDX-License-Identifier: Apache-2.0
"""Runs one rule of the house: run.py RULE [--root DIR] [--build DIR]. Prints each finding as `file:line: sentence`."""
import argparse
import importlib
import sys
from pathlib import Path

RULES = ("floors", "headers", "limits", "limits_doc", "symbols", "text", "docs", "format")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rule", choices=[*RULES, "selftest"])
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=Path)
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    rule = importlib.import_module(arguments.rule)
    if arguments.rule == "selftest":
        return rule.run()
    findings = sorted(rule.check(arguments.root, arguments.build))
    for finding in findings:
        print(finding)
    print(f"{arguments.rule}: {len(findings)} findings" if findings else f"{arguments.rule}: nothing found")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
