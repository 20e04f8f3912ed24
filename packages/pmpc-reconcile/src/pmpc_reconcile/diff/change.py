"""The values of a comparison: what happens to each field, and why."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Self

import attrs

from pmpc_reconcile.values import ABSENT, Absent, FieldValue, from_record, to_record


class Action(enum.Enum):
    """What happens to a field."""

    ADD = "add"
    CHANGE = "change"
    REMOVE = "remove"
    CONFLICT = "conflict"
    UNCHANGED = "unchanged"
    RELEASE = "release"
    KEEP = "keep"

    @property
    def writes(self) -> bool:
        """Whether something has to be written."""
        return self in (Action.ADD, Action.CHANGE, Action.REMOVE)


@attrs.frozen(kw_only=True)
class FieldChange:
    """What happens to one field.

    Attributes:
        path: The field: `config.net0.bridge`.
        action: What happens to it.
        base: The value we applied last; `ABSENT` when the field was not ours.
        live: What the server shows, its default where it shows nothing.
        desired: What the manifest says; `ABSENT` when it does not name the field.
        reason: Why, in words.
        owner: Who else manages the field, if that is known.
    """

    path: str
    action: Action
    base: FieldValue | Absent = ABSENT
    live: FieldValue | Absent = ABSENT
    desired: FieldValue | Absent = ABSENT
    reason: str = ""
    owner: str | None = None

    def to_dict(self, fingerprint: Callable[[str], str]) -> dict[str, Any]:
        """Return a JSON form; secrets become keyed fingerprints."""
        values = {
            name: value
            for name, value in (("base", self.base), ("live", self.live), ("desired", self.desired))
            if not isinstance(value, Absent)
        }
        form: dict[str, Any] = {"path": self.path, "action": self.action.value}
        form.update(to_record(values, fingerprint))
        form.update({"reason": self.reason} if self.reason else {})
        form.update({"owner": self.owner} if self.owner else {})
        return form

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        values = from_record({key: data[key] for key in ("base", "live", "desired") if key in data})
        return cls(
            path=data["path"],
            action=Action(data["action"]),
            base=values.get("base", ABSENT),
            live=values.get("live", ABSENT),
            desired=values.get("desired", ABSENT),
            reason=data.get("reason", ""),
            owner=data.get("owner"),
        )


@attrs.frozen
class Diff:
    """The comparison of one object.

    Attributes:
        fields: One entry per field that is or was ours, by path.
    """

    fields: tuple[FieldChange, ...]

    @property
    def changes(self) -> tuple[FieldChange, ...]:
        """Fields that have to be written."""
        return tuple(field for field in self.fields if field.action.writes)

    @property
    def conflicts(self) -> tuple[FieldChange, ...]:
        """Fields somebody else changed too, still to be decided."""
        return tuple(field for field in self.fields if field.action is Action.CONFLICT)

    @property
    def settled(self) -> tuple[FieldChange, ...]:
        """Fields that need nothing."""
        quiet = (Action.UNCHANGED, Action.RELEASE, Action.KEEP)
        return tuple(field for field in self.fields if field.action in quiet)

    @property
    def empty(self) -> bool:
        """Whether nothing has to be written or decided."""
        return not self.changes and not self.conflicts

    def owned_after(self) -> dict[str, FieldValue]:
        """Return the fields to record as ours once the changes are applied.

        Fields kept as others have them stay recorded with the value we applied last, so that the
        difference stays visible. An object with a conflict is not written at all, so everything of
        it stays recorded as it was.
        """
        held = bool(self.conflicts)
        values = {field.path: field.base if held else _owned(field) for field in self.fields}
        return {path: value for path, value in values.items() if not isinstance(value, Absent)}


def _owned(field: FieldChange) -> FieldValue | Absent:
    if field.action in (Action.ADD, Action.CHANGE, Action.UNCHANGED):
        return field.desired
    return field.base if field.action is Action.KEEP else ABSENT


@attrs.frozen
class Claim:
    """What another manager applied to a field.

    Attributes:
        owner: The manager, a release.
        value: The value it applied. Once the field has another one, the claim is void.
        before: The value it found when it first applied the field, if that counts for anything.
    """

    owner: str
    value: FieldValue
    before: FieldValue | Absent = ABSENT
