"""Write generated files, or compare them with what is there, contents and file sets both ways."""

from __future__ import annotations

from pathlib import Path

PACKAGE = "packages/proxmox-client/src/proxmox_client"
# Folders that hold generated files and nothing else.
OWNED = (f"{PACKAGE}/api",)
Files = dict[str, bytes]


def _stray(root: Path, files: Files) -> list[Path]:
    found = [
        path
        for folder in OWNED
        for path in (root / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    return sorted(path for path in found if path.relative_to(root).as_posix() not in files)


def compare(root: Path, files: Files) -> list[str]:
    """List files that are missing, differ or should not be there."""
    differences = [f"not generated: {path.relative_to(root)}" for path in _stray(root, files)]
    for name, content in sorted(files.items()):
        path = root / name
        if not path.exists():
            differences.append(f"missing: {name}")
        elif path.read_bytes() != content:
            differences.append(f"differs: {name}")
    return differences


def write(root: Path, files: Files) -> int:
    """Write what changed, remove what is no longer generated; return the number of both."""
    changed = 0
    for path in _stray(root, files):
        path.unlink()
        changed += 1
    for name, content in files.items():
        path = root / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            changed += 1
    return changed
