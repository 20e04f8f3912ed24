"""Run the generator: `python -m tools.apigen`, with `--check` or `--diff OLD NEW` if wished."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.apigen import diff, facts, generate, output

ROOT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Write the generated files, say how they differ, or compare two versions of the API."""
    parser = argparse.ArgumentParser(prog="python -m tools.apigen", description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, report differences")
    parser.add_argument("--root", type=Path, default=ROOT, help="root of the repository")
    parser.add_argument("--diff", nargs=2, metavar=("OLD", "NEW"), help="compare two versions")
    options = parser.parse_args(arguments)
    if options.diff:
        versions = facts.read_versions(options.root / "schema")
        print("\n".join(diff.report(versions, *options.diff)))
        return 0
    files = generate.files(options.root)
    if options.check:
        differences = output.compare(options.root, files)
        for difference in differences:
            print(difference)
        return 1 if differences else 0
    changed = output.write(options.root, files)
    print(f"{len(files)} files, {changed} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
