"""The prepared text of `pmpc --help`, rendered from the real application.

`python -m pmpc_cli.prepared_help` writes it anew; a test fails when it is stale.
"""

from __future__ import annotations

import io
from pathlib import Path

from rich.console import Console

from pmpc_cli.app import build_app
from pmpc_cli.present.help import WIDTH

PREPARED = Path(__file__).with_name("help.txt")


def render() -> str:
    """Return the page cyclopts renders for `pmpc --help`."""
    page = io.StringIO()
    console = Console(file=page, width=WIDTH, color_system=None, force_terminal=False)
    app = build_app(console=console)
    for name in app:
        app[name]  # loads it: cyclopts lists commands it has not loaded without their summary
    app.help_print([])
    lines = (line.rstrip() for line in page.getvalue().splitlines())
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PREPARED.write_text(render(), encoding="utf-8")
