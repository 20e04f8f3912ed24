"""What a section's look means for the record: pure, from what is recorded and what was seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from pmpc_state.canonical import SecretKey, canonical_json, content_hash, redact_resource
from pmpc_state.identity import differs
from pmpc_state.values.inventory import ObservedItem, Section
from pmpc_state.values.observed import Identity


@attrs.frozen
class Recorded:
    """An object the database believes to be there.

    Attributes:
        resource_id: Its row.
        observation_id: The row of its open interval, None if it was never readable.
        hash: Hash of its configuration, None if it was never readable.
    """

    resource_id: int
    kind: str
    key: str
    identity: Identity
    observation_id: int | None
    hash: str | None


@attrs.frozen
class Seen:
    """An object that was seen, with its configuration in the form it is stored in.

    Attributes:
        text: Canonical JSON without secrets, None if its configuration could not be read.
        hash: Hash of the text.
    """

    item: ObservedItem
    text: str | None
    hash: str | None


@attrs.frozen
class Delta:
    """What to write for one section.

    Attributes:
        appeared: Seen, and nothing of that key and identity is recorded as there.
        changed: Recorded with another configuration, or with none.
        unchanged: Recorded with the same configuration.
        listed: Recorded and seen, but not readable now.
        kept: Recorded and listed, not read again because nothing says that it changed.
        vanished: Recorded, and proven to be gone or replaced.
        unseen: Recorded, not seen, not proven to be gone; with the reason.
    """

    appeared: tuple[Seen, ...]
    changed: tuple[tuple[Recorded, Seen], ...]
    unchanged: tuple[tuple[Recorded, Seen], ...]
    listed: tuple[tuple[Recorded, Seen], ...]
    kept: tuple[tuple[Recorded, Seen], ...]
    vanished: tuple[Recorded, ...]
    unseen: tuple[tuple[Recorded, str], ...]


def store_form(items: Iterable[ObservedItem], key: SecretKey) -> tuple[Seen, ...]:
    """Bring what was seen into the form it is stored in: secrets out, one spelling, its hash."""
    return tuple(_store_form(item, key) for item in items)


def compare(recorded: Iterable[Recorded], seen: Iterable[Seen], section: Section) -> Delta:
    """Compare what is recorded with what was seen.

    An object whose identity is certainly another's replaces the one of that key. One that was not
    seen vanishes only if the section proves it gone; otherwise it becomes unknown.
    """
    there: dict[tuple[str, str], Recorded] = {(one.kind, one.key): one for one in recorded}
    appeared: list[Seen] = []
    changed: list[tuple[Recorded, Seen]] = []
    unchanged: list[tuple[Recorded, Seen]] = []
    listed: list[tuple[Recorded, Seen]] = []
    kept: list[tuple[Recorded, Seen]] = []
    vanished: list[Recorded] = []
    for entry in seen:
        known = there.pop((entry.item.kind, entry.item.key), None)
        if known is None:
            appeared.append(entry)
        elif entry.item.kept:
            kept.append((known, entry))
        elif differs(known.identity, entry.item.identity):
            vanished.append(known)
            appeared.append(entry)
        elif entry.hash is None:
            listed.append((known, entry))
        elif entry.hash == known.hash:
            unchanged.append((known, entry))
        else:
            changed.append((known, entry))
    vanished.extend(one for one in there.values() if one.key in section.gone)
    unseen = [
        (one, _why(one.key, section.unseen))
        for one in there.values()
        if one.key not in section.gone and one.key not in section.untouched
    ]
    return Delta(
        appeared=tuple(appeared),
        changed=tuple(changed),
        unchanged=tuple(unchanged),
        listed=tuple(listed),
        kept=tuple(kept),
        vanished=tuple(vanished),
        unseen=tuple(unseen),
    )


def _store_form(item: ObservedItem, key: SecretKey) -> Seen:
    if item.document is None:
        return Seen(item, None, None)
    text = canonical_json(redact_resource(item.kind, item.document, key))
    return Seen(item, text, content_hash(text))


def _why(key: str, reasons: Mapping[str, str]) -> str:
    return reasons.get(key, "not listed, and nothing proves that it is gone")
