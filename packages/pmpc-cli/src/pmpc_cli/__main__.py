"""Entry point of `pmpc`: answers `--help` from a prepared text, hands everything else on.

Importing the real application costs some 150 ms; the text does not, so this module imports
nothing else at the top. `python -m pmpc_cli.prepared_help` writes the text anew.
"""

from __future__ import annotations

import os
import sys

HELP_WORDS = ("--help", "-h")


def main(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    if not words or words[0] in HELP_WORDS or words == ["help"]:
        with open(f"{__file__.rpartition('__main__')[0]}help.txt", encoding="utf-8") as text:
            _write(text.read())
        return 0

    from pmpc_cli.run import run

    return run(words)


def _write(text: str) -> None:
    """Write a text whose reader may be gone (`| head`)."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
