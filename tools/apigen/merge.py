"""Join the API of all versions: each operation and parameter knows since when and until when."""

from __future__ import annotations

from typing import Any

import attrs

Facts = dict[str, Any]
Key = tuple[str, str]


@attrs.frozen
class Span:
    """One parameter as it was from version number `first` to `last`, both included."""

    first: int
    last: int
    facts: Facts


@attrs.define
class Merged:
    """One operation over all versions.

    Attributes:
        method: HTTP method.
        path: Path template.
        first: Number of the first version that has it.
        last: Number of the last version that has it.
        newest: The operation as the newest version with it states it.
        parameters: By wire name, one span for each change of what it accepts.
        returns: Shape of the answer: the newest word, with fields only older versions send.
        starts_task: The answer is a UPID.
        safety: What a second sending would do.
        earlier: Who might call it before that changed: number of the last version that said so,
            and the operation as it was then; oldest first.
    """

    method: str
    path: str
    first: int
    last: int
    newest: Facts
    parameters: dict[str, list[Span]]
    returns: Facts
    starts_task: bool = False
    safety: str = "unsafe"
    earlier: list[tuple[int, Facts]] = attrs.field(factory=list[tuple[int, Facts]])

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the path's placeholders, in order."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


def merge(versions: dict[str, list[Facts]]) -> dict[Key, Merged]:
    """Merge operations by method and path.

    Raises:
        ValueError: An operation vanished and came back; since and until could not say that.
    """
    merged: dict[Key, Merged] = {}
    for number, entries in enumerate(versions.values()):
        for entry in entries:
            key = (entry["path"], entry["method"])
            if key in merged:
                _extend(merged[key], entry, number)
            else:
                merged[key] = _start(entry, number)
    return dict(sorted(merged.items()))


def _start(entry: Facts, number: int) -> Merged:
    return Merged(
        method=entry["method"],
        path=entry["path"],
        first=number,
        last=number,
        newest=entry,
        parameters={n: [Span(number, number, f)] for n, f in entry["parameters"].items()},
        returns=entry["returns"],
        safety={"GET": "read", "PUT": "idempotent", "DELETE": "idempotent"}.get(
            entry["method"], "unsafe"
        ),
    )


def _extend(known: Merged, entry: Facts, number: int) -> None:
    if number != known.last + 1:
        raise ValueError(f"{known.method} {known.path} is missing in a version between")
    if _access(entry) != _access(known.newest):
        known.earlier.append((known.last, known.newest))
    known.last, known.newest = number, entry
    known.returns = join_shapes(known.returns, entry["returns"])
    for name, facts in entry["parameters"].items():
        spans = known.parameters.setdefault(name, [])
        if spans and spans[-1].last == number - 1 and spans[-1].facts == facts:
            spans[-1] = Span(spans[-1].first, number, facts)
        else:
            spans.append(Span(number, number, facts))


def _access(entry: Facts) -> tuple[Facts | None, bool]:
    return entry.get("permissions"), bool(entry.get("allowtoken", 1))


def join_shapes(old: Facts, new: Facts) -> Facts:
    """Add fields to `new` that only `old` describes; where both speak, `new` counts."""
    if not new:
        return old
    if old.get("type", "object") != new.get("type", "object"):
        return new
    joined = dict(new)
    if isinstance(new.get("items"), dict) and isinstance(old.get("items"), dict):
        joined["items"] = join_shapes(old["items"], new["items"])
    before: Facts = old.get("properties") or {}
    after: Facts = new.get("properties") or {}
    if before or after:
        joined["properties"] = {
            name: _field(before.get(name), after.get(name)) for name in sorted({*before, *after})
        }
    return joined


def _field(old: Facts | None, new: Facts | None) -> Facts:
    if new is None:
        return {**(old or {}), "optional": 1}
    return new if old is None else join_shapes(old, new)
