"""Documents are found, and the commands they show exist with the options and files they name."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

import pytest

from pmpc_cli.app import build_app
from tests.docs.markdown import ROOT, blocks, documents, links

PATH_OPTIONS = {"-f", "--filename"}
SHELL_OPERATORS = {"&&", "||", "|", ";"}


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield the place and the words of every `pmpc` command line in the documents."""
    for path in documents():
        if path.name == "CHANGELOG.md":
            continue
        for block in blocks(path):
            if block.language not in ("sh", "bash", "console"):
                continue
            # Commands written over several lines count as one, at the place of the block.
            for line in block.text.replace("\\\n", " ").splitlines():
                for words in _pmpc_calls(line):
                    yield block.where, words


def _pmpc_calls(line: str) -> Iterator[list[str]]:
    try:
        line_words = shlex.split(line.removeprefix("$ "), comments=True)
    except ValueError:  # a part of something longer, such as a script in quotes
        return
    for operator, group in groupby(line_words, key=SHELL_OPERATORS.__contains__):
        words = [] if operator else list(group)
        words = words[2:] if words[:2] == ["uv", "run"] else words
        if words[:1] == ["pmpc"]:
            yield words[1:]


@pytest.mark.parametrize(
    "words", [pytest.param(words, id=f"{place} {words[0]}") for place, words in commands()]
)
def test_commands_in_documents_are_understood(words: list[str]) -> None:
    build_app(words).parse_args(words, exit_on_error=False, print_error=False)


def test_manifests_that_commands_in_documents_name_are_there() -> None:
    missing = [
        f"{place}: {value}"
        for place, words in commands()
        for option, value in pairwise(words)
        if option in PATH_OPTIONS and value.startswith("examples") and not (ROOT / value).exists()
    ]
    assert missing == []


def test_every_document_can_be_reached_from_the_first_page() -> None:
    open_pages, seen = [ROOT / "docs/README.md"], set[Path]()
    while open_pages:
        page = open_pages.pop()
        if page in seen or page.suffix != ".md" or not page.exists():
            continue
        seen.add(page)
        open_pages += [(page.parent / target).resolve() for target in links(page)]
    assert {path for path in documents() if ROOT / "docs" in path.parents} - seen == set()
