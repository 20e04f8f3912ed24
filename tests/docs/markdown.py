"""What the documentation tests need of Markdown: fenced blocks and relative links."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import attrs

ROOT = Path(__file__).resolve().parents[2]
_FENCE = re.compile(
    r"(?P<before>[^\n]*)\n(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)\n(?P=indent)```",
    re.DOTALL,
)
_LINK = re.compile(r"\[[^\]]*\]\((?!https?://|mailto:|#)([^)#\s]+)")
NOT_RUN = re.compile(r"<!-- not run: \S.*-->")


@attrs.frozen
class Block:
    """A fenced block.

    Attributes:
        path: The document.
        line: Line of its first line, from 1.
        language: The word after the fence.
        text: What is in it, dedented.
        runs: False when the line before says `<!-- not run: REASON -->`.
    """

    path: Path
    line: int
    language: str
    text: str
    runs: bool

    @property
    def where(self) -> str:
        """Return document and line for people."""
        return f"{self.path.relative_to(ROOT)}:{self.line}"


def documents() -> list[Path]:
    """Return the Markdown files of the repository, recordings' own ones aside."""
    done = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    )
    names = [name for name in done.stdout.splitlines() if not name.startswith("tests/data/")]
    return [ROOT / name for name in names if (ROOT / name).exists()]


def blocks(path: Path) -> list[Block]:
    """Return the fenced blocks of a document that name a language."""
    text = path.read_text(encoding="utf-8")
    found: list[Block] = []
    for match in _FENCE.finditer("\n" + text):
        indent = match["indent"]
        body = "\n".join(line.removeprefix(indent) for line in match["text"].split("\n"))
        line = text.count("\n", 0, max(match.start("text") - 1, 0)) + 1
        runs = not NOT_RUN.search(match["before"])
        found.append(Block(path, line, match["language"], body, runs))
    return found


def links(path: Path) -> list[str]:
    """Return the targets of a document's relative links."""
    return _LINK.findall(path.read_text(encoding="utf-8"))
