"""Keep the exact versions of all dependencies in the root pyproject.

Lock files name the registry they came from, and none may stand in this repository. So the pins
live as `[tool.uv] constraint-dependencies`: `uv` then resolves the same versions from whatever
registry the machine uses.

    python -m tools.pins            resolve afresh and rewrite the pins
    python -m tools.pins --check    fail if what resolves now differs from the pins
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"^constraint-dependencies = \[(?:\n.*?^)?\]", re.MULTILINE | re.DOTALL)


def pinned(pyproject: str) -> list[str]:
    """Return the constraints that stand in the text of a root pyproject."""
    tool = tomllib.loads(pyproject).get("tool", {})
    return list(tool.get("uv", {}).get("constraint-dependencies", []))


def with_pins(pyproject: str, pins: list[str]) -> str:
    """Return the text of the pyproject with its constraints replaced by `pins`, sorted."""
    lines = "".join(f'  "{pin}",\n' for pin in sorted(pins))
    block = f"constraint-dependencies = [\n{lines}]" if pins else "constraint-dependencies = []"
    return _BLOCK.sub(lambda _: block, pyproject, count=1)


def requirements(exported: str) -> list[str]:
    """Return the pins in an export: `name==version ; marker` lines, in TOML-safe quoting."""
    lines = (line.strip() for line in exported.splitlines())
    return [line.replace('"', "'") for line in lines if line and not line.startswith(("#", "-"))]


def resolve(pins: list[str]) -> list[str]:
    """Resolve the workspace under `pins` in a copy, so that no lock file lends a hand.

    Raises:
        subprocess.CalledProcessError: uv could not resolve; its message is on stderr.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        text = with_pins((ROOT / "pyproject.toml").read_text(encoding="utf-8"), pins)
        (copy / "pyproject.toml").write_text(text, encoding="utf-8")
        for source in ROOT.glob("packages/*/pyproject.toml"):
            target = copy / source.relative_to(ROOT)
            target.parent.mkdir(parents=True)
            shutil.copy(source, target)
        command = [
            *("uv", "export", "--quiet", "--all-packages", "--all-extras", "--all-groups"),
            *("--no-hashes", "--no-emit-workspace", "--no-header", "--no-annotate"),
        ]
        # An active environment of this project is not the copy's: uv would warn about it.
        environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
        done = subprocess.run(
            command, cwd=copy, env=environment, check=True, stdout=subprocess.PIPE, text=True
        )
    return requirements(done.stdout)


def main(arguments: list[str] | None = None) -> int:
    """Refresh or check the pins; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.pins", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if stale")
    options = parser.parse_args(arguments)
    path = ROOT / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    current = pinned(text)
    resolved = resolve(current if options.check else [])
    if options.check:
        missing = sorted(set(resolved) - set(current))
        unused = sorted(set(current) - set(resolved))
        for label, names in (("not pinned", missing), ("pinned in vain", unused)):
            for name in names:
                print(f"{label}: {name}", file=sys.stderr)
        if missing or unused:
            print("run: uv run python -m tools.pins", file=sys.stderr)
        return 1 if missing or unused else 0
    path.write_text(with_pins(text, resolved), encoding="utf-8")
    print(f"{len(resolved)} versions pinned in {path.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
