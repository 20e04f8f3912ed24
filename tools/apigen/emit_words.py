"""Render `api/words.py`: words and keys of parameters that only some versions know."""

from __future__ import annotations

from collections.abc import Mapping

from tools.apigen.merge import Facts, Key, Merged
from tools.apigen.naming import operation_id
from tools.apigen.text import head
from tools.apigen.words import Limit, limits

Tables = Mapping[str, tuple[Limit, ...]]


def tables(
    operations: Mapping[Key, Merged], versions: list[str], formats: dict[str, Facts]
) -> Tables:
    """Return the limits of each operation that has some, by its id."""
    found = {
        operation_id(op.method, op.path): tuple(limits(op, versions, formats))
        for op in operations.values()
    }
    return {name: listed for name, listed in sorted(found.items()) if listed}


def worded(found: Tables) -> dict[str, tuple[str, ...]]:
    """Return the parameters concerned, by operation id."""
    return {name: tuple(sorted({limit.name for limit in listed})) for name, listed in found.items()}


def render(found: Tables) -> str:
    """Write the module; operations that share a table name the same constant."""
    lines = [
        *head(
            "Words and keys of parameters that only some versions know.",
            ["from typing import Final"],
        ),
        "",
        "Limit = tuple[str, str, str | None, str | None]",
        '"""Parameter; `=word`, `key` or `key=word`; first and last version that know it."""',
    ]
    named: dict[tuple[Limit, ...], str] = {}
    for listed in found.values():
        if listed not in named:
            named[listed] = f"_TABLE_{len(named)}"
            lines.append(f"{named[listed]}: Final[tuple[Limit, ...]] = (")
            lines += [f"    {_row(limit)}," for limit in listed]
            lines.append(")")
    lines.append("WORDS: Final[dict[str, tuple[Limit, ...]]] = {")
    lines += [f'    "{name}": {named[listed]},' for name, listed in found.items()]
    return "\n".join([*lines, "}"]) + "\n"


def _row(limit: Limit) -> str:
    texts = (limit.name, limit.spec, limit.since, limit.until)
    return f"({', '.join('None' if text is None else _quoted(text) for text in texts)})"


def _quoted(text: str) -> str:
    return f'"{text}"'
