"""How long it takes to import the client and to show the command's help."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import Row, process_starts

REPEATS = 25


def rows() -> Iterator[Row]:
    """Compare with starting the bare interpreter."""
    pmpc = str(Path(sys.executable).with_name("pmpc"))
    bare, imported, helped = process_starts(
        [
            [sys.executable, "-c", "pass"],
            [sys.executable, "-c", "import proxmox_client"],
            [pmpc, "--help"],
        ],
        REPEATS,
    )
    yield Row("import proxmox_client / bare interpreter", imported, bare, "ms", 4, "lower")
    yield Row("pmpc --help / bare interpreter", helped, bare, "ms", 6, "lower")
