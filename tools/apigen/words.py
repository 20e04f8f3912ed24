"""Words and keys of parameters that only some versions know, where the parameter itself is older.

`type=esxi` of a storage needs 8.2, `host-managed` in a network card's text 9.1. A version that puts
no limits on a parameter is taken to accept any word; one that does not know a parameter as a
property string accepts its default key only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import cast

import attrs

from tools.apigen.emit_operations import family_keys
from tools.apigen.merge import Facts, Merged, Span


@attrs.frozen
class Limit:
    """What a value may not hold in some versions.

    Attributes:
        name: The parameter, as it is handed on.
        spec: `=word` for the whole value or an entry, `key` or `key=word` in a property string.
        since: First version that knows it; None where the parameter is no older.
        until: Last version that knows it; None where it is the parameter's own last.
    """

    name: str
    spec: str
    since: str | None
    until: str | None


def limits(operation: Merged, versions: list[str], formats: dict[str, Facts]) -> list[Limit]:
    """List the limits of an operation's parameters, in a fixed order.

    Args:
        operation: The operation.
        versions: All versions.
        formats: Keys of the formats which the schema only names.
    """
    families = family_keys(operation)
    found: list[Limit] = []
    for name, given in sorted(operation.parameters.items()):
        spans = [_spelt_out(span, formats) for span in given]
        if name in operation.placeholders or len(spans) < 2 or any(_open(span) for span in spans):
            continue
        named = families.get(name, name)
        for spec, known in sorted(_specs(spans)):
            since, until = _range(spans, known)
            if since is not None or until is not None:
                found.append(
                    Limit(
                        named,
                        spec,
                        None if since is None else versions[since],
                        None if until is None else versions[until],
                    )
                )
    return found


def _spelt_out(span: Span, formats: dict[str, Facts]) -> Span:
    named = span.facts.get("format")
    if isinstance(named, str) and named in formats:
        return Span(span.first, span.last, {**span.facts, "format": formats[named]})
    return span


def _open(span: Span) -> bool:
    return "oneOf" in span.facts


def _specs(spans: list[Span]) -> Iterator[tuple[str, Callable[[Facts], bool]]]:
    """Yield each spec of any version with what says whether a version knows it."""
    for word in {word for span in spans for word in _enum(span.facts)}:
        yield f"={word}", _knows_word(word)
    keys = {key: facts for span in spans for key, facts in _keys(span.facts).items()}
    for key, newest in keys.items():
        default = bool(newest.get("default_key"))
        if not default:
            yield key, _knows_key(key)
        for word in {word for span in spans for word in _enum(_keys(span.facts).get(key, {}))}:
            yield f"{key}={word}", _knows_key_word(key, word)
            if default:
                yield f"={word}", _knows_key_word(key, word)


def _range(spans: list[Span], known: Callable[[Facts], bool]) -> tuple[int | None, int | None]:
    having = [span for span in spans if known(span.facts)]
    first, last = having[0].first, having[-1].last
    return (
        first if first > spans[0].first else None,
        last if last < spans[-1].last else None,
    )


def _knows_word(word: str) -> Callable[[Facts], bool]:
    return lambda facts: not _enum(facts) or word in _enum(facts)


def _knows_key(key: str) -> Callable[[Facts], bool]:
    return lambda facts: key in _keys(facts)


def _knows_key_word(key: str, word: str) -> Callable[[Facts], bool]:
    def known(facts: Facts) -> bool:
        keys = _keys(facts)
        if key not in keys:
            return not keys
        return not _enum(keys[key]) or word in _enum(keys[key])

    return known


def _enum(facts: Facts) -> list[str]:
    words: list[str] = facts.get("enum") or []
    return words


def _keys(facts: Facts) -> dict[str, Facts]:
    keys: object = facts.get("format")
    return cast("dict[str, Facts]", keys) if isinstance(keys, dict) else {}
