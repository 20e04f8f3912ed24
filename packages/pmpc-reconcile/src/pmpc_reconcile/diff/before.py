"""What a field was before us: the first manager of what nobody managed, as with Kubernetes.

A setting that always exists, as an option of the firewall, is not made by whoever declares it.
What it was when a release first declared it, or what people made of it later, counts like one more
owner of that value: it stays when the release lets go of it. What a release gave another value goes
to its default.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from pmpc_reconcile.diff.change import Claim, Diff, FieldChange
from pmpc_reconcile.kinds import Kind
from pmpc_reconcile.values import ABSENT, Absent, Fields, FieldValue, Secret, SecretMark, same

BEFORE: Final = "before"
"""In an object's evidence: values from before us, as `before_text` writes them."""


def before_us(
    kind: Kind, diff: Diff, live: Fields, known: Fields, others: Mapping[str, Sequence[Claim]]
) -> dict[str, FieldValue]:
    """Return the values from before us, of the fields that are ours after a comparison.

    Args:
        kind: The kind of object.
        diff: The comparison.
        live: Fields of the server.
        known: Values from before us as remembered.
        others: What other managers applied, by path.
    """
    owned = diff.owned_after()
    found: dict[str, FieldValue] = {}
    for field in diff.fields:
        path = field.path
        if path not in owned:
            continue
        if _is_first(kind, field):
            value = _first(kind, field, live, others.get(path, ()))
        else:
            value = known.get(path, ABSENT)
        if not isinstance(value, Absent | Secret | SecretMark):
            found[path] = value
    return found


def before_text(values: Fields) -> str:
    """Write values from before us as one text; empty if there are none."""
    return json.dumps(dict(values), sort_keys=True) if values else ""


def read_before(evidence: Mapping[str, str]) -> dict[str, FieldValue]:
    """Return the values from before us in an object's evidence."""
    values: dict[str, FieldValue] = json.loads(evidence.get(BEFORE) or "{}")
    return values


def _is_first(kind: Kind, field: FieldChange) -> bool:
    """Whether a field becomes ours, or others gave it another value than we had applied."""
    return not same(kind, field.path, field.base, field.live)


def _first(
    kind: Kind, field: FieldChange, live: Fields, claims: Sequence[Claim]
) -> FieldValue | Absent:
    """Return what is there, or what was there before those whose value it is."""
    now = live.get(field.path, ABSENT)
    holding = [claim for claim in claims if same(kind, field.path, claim.value, now)]
    if not holding:
        return now
    return next((claim.before for claim in holding if claim.before is not ABSENT), ABSENT)
