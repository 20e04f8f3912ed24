"""The three-way comparison with field ownership.

For every field that the manifest declares or that we applied before:

| declared | ours before | live              | outcome                                       |
|----------|-------------|-------------------|-----------------------------------------------|
| yes      | any         | as declared       | unchanged (owned, or owned together)           |
| yes      | yes         | as we applied it  | change                                        |
| yes      | yes         | otherwise         | conflict: somebody else changed it            |
| yes      | no          | nothing           | add                                           |
| yes      | no          | otherwise         | change; conflict when another manager owns it |
| no       | yes         | as we applied it  | remove; release when others own it too, and   |
|          |             |                   | where it was so before us (settings only)     |
| no       | yes         | otherwise         | release: it is somebody else's now            |

A field nobody declares here and that was never ours does not appear at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import attrs

from pmpc_reconcile.diff.change import Action, Claim, Diff, FieldChange
from pmpc_reconcile.kinds import Kind, Shape, meaning, options_of
from pmpc_reconcile.values import (
    ABSENT,
    Absent,
    Fields,
    FieldValue,
    Secret,
    SecretMark,
    default_of,
    same,
    split_path,
)

# Fields that say what should be, whoever changed it: a guest that should run is started again.
LEVEL_FIELDS: Final = frozenset({"state"})
_NO_OWNERS: Final[Mapping[str, str | Sequence[Claim]]] = {}
_NO_RESOLUTIONS: Final[Mapping[str, str]] = {}
_NOTHING: Final[Fields] = {}
WAS_SO: Final = "it was so before this release"


def three_way(
    kind: Kind,
    desired: Fields,
    live: Fields,
    owned: Fields,
    *,
    resolutions: Mapping[str, str] = _NO_RESOLUTIONS,
    others: Mapping[str, str | Sequence[Claim]] = _NO_OWNERS,
    before: Fields = _NOTHING,
    fingerprint: Callable[[str], str] | None = None,
) -> Diff:
    """Compare what is wanted, what is there and what we applied last.

    Args:
        kind: The kind of object.
        desired: Fields of the manifest.
        live: Fields of the server, pending changes included.
        owned: Fields as we last applied them.
        resolutions: `ours`, `theirs` or `ignore` by path, or by what stands before a dot of it.
        others: Other managers by the path of a field they own: a name, or what each of them
            applied, which counts as long as the field has that value.
        before: Values from before we first applied a field. What has such a value again, or still,
            keeps it when we let go of it.
        fingerprint: Makes the keyed fingerprint by which secrets are compared. Without it a secret
            counts as changed every time.

    Returns:
        One entry per field, by path.
    """
    slots = frozenset(slot_of(path) for path in live)
    declared = frozenset(slot_of(path) for path in desired)
    context = _Context(
        kind, desired, live, owned, resolutions, others, before, fingerprint, slots, declared
    )
    fields = [_declared(context, path) for path in desired]
    fields.extend(_undeclared(context, path) for path in owned if path not in desired)
    by_path = {field.path: field for field in fields}
    _complete_new_slots(context, by_path)
    _guard_shared_slots(context, by_path)
    return Diff(tuple(by_path[path] for path in sorted(by_path)))


@attrs.frozen
class _Context:
    kind: Kind
    desired: Fields
    live: Fields
    owned: Fields
    resolutions: Mapping[str, str]
    others: Mapping[str, str | Sequence[Claim]]
    before: Fields
    fingerprint: Callable[[str], str] | None
    slots: frozenset[str]
    declared_slots: frozenset[str]

    def theirs(self, path: str) -> FieldValue | Absent:
        found = self.live.get(path, ABSENT)
        return default_of(self.kind, path) if isinstance(found, Absent) else found

    def same(self, path: str, wanted: FieldValue | Absent, other: FieldValue | Absent) -> bool:
        return same(self.kind, path, wanted, other, fingerprint=self.fingerprint)

    def resolution(self, path: str) -> str | None:
        while path:
            if path in self.resolutions:
                return self.resolutions[path]
            path = path.rpartition(".")[0]
        return None

    def owner(self, path: str) -> str | None:
        """Return who else owns a field."""
        claims = self.others.get(path, ())
        if isinstance(claims, str):
            return claims
        return (
            ", ".join(sorted(claim.owner for claim in claims if self._holds(path, claim))) or None
        )

    def _holds(self, path: str, claim: Claim) -> bool:
        secret = isinstance(claim.value, Secret | SecretMark)
        return secret or self.same(path, claim.value, self.theirs(path))

    def has_slot(self, path: str) -> bool:
        return slot_of(path) in self.slots


def slot_of(path: str) -> str:
    """Return the option a path belongs to: `config.net0` for `config.net0.bridge`."""
    section, option, _ = split_path(path)
    return section if option is None else f"{section}.{option}"


def _declared(context: _Context, path: str) -> FieldChange:
    desired = context.desired[path]
    base = context.owned.get(path, ABSENT)
    live = context.theirs(path)
    change = FieldChange(path=path, action=Action.UNCHANGED, base=base, live=live, desired=desired)
    if isinstance(desired, Secret | SecretMark):
        return _secret(context, change)
    if context.same(path, desired, live):
        return change
    if _is_create_only(path) and context.has_slot(path):
        return attrs.evolve(change, reason="only a creation takes it")
    return _differing(context, change)


def _differing(context: _Context, change: FieldChange) -> FieldChange:
    """Decide about a declared field that is not as declared."""
    path = change.path
    owner = context.owner(path)
    resolution = context.resolution(path)
    write = Action.CHANGE if path in context.live else Action.ADD
    if resolution == "ignore":
        return attrs.evolve(change, action=Action.KEEP, reason="differences are ignored")
    if path in LEVEL_FIELDS:
        return attrs.evolve(change, action=write)
    foreign = change.base is not ABSENT and not context.same(path, change.base, change.live)
    if not foreign and owner is None:
        return attrs.evolve(change, action=write)
    reason = f"managed by {owner}" if owner else "somebody else changed it"
    if resolution == "ours":
        return attrs.evolve(change, action=write, reason=f"{reason}; resolved: ours", owner=owner)
    if resolution == "theirs":
        return attrs.evolve(
            change, action=Action.KEEP, reason=f"{reason}; resolved: theirs", owner=owner
        )
    return attrs.evolve(change, action=Action.CONFLICT, reason=reason, owner=owner)


def _secret(context: _Context, change: FieldChange) -> FieldChange:
    """Decide about a secret: the server shows only that there is one."""
    path, there = change.path, change.path in context.live
    if context.same(path, change.desired, change.base):
        return change if there else _differing(context, change)
    if context.resolution(path) == "ignore":
        return attrs.evolve(change, action=Action.KEEP, reason="differences are ignored")
    return attrs.evolve(change, action=Action.CHANGE if there else Action.ADD)


def _undeclared(context: _Context, path: str) -> FieldChange:
    base = context.owned[path]
    live = context.theirs(path)
    change = FieldChange(path=path, action=Action.RELEASE, base=base, live=live)
    owner = context.owner(path)
    if path in LEVEL_FIELDS:
        return attrs.evolve(change, reason="no longer declared")
    if path not in context.live:
        return attrs.evolve(change, reason="no longer there")
    if owner is not None:
        return attrs.evolve(change, reason=f"still managed by {owner}", owner=owner)
    if path in context.before and context.same(path, context.before[path], live):
        return attrs.evolve(change, reason=WAS_SO)
    slot, key = slot_of(path), split_path(path)[2]
    if slot in context.declared_slots and removes_slot(context.kind, slot, {key}):
        return attrs.evolve(change, reason="what is still declared needs it")
    if _cannot_be_unset(context.kind, slot, key):
        return attrs.evolve(change, reason="PVE does not let it be unset")
    if context.resolution(path) == "ignore":
        return attrs.evolve(change, reason="differences are ignored")
    if isinstance(base, SecretMark) or context.same(path, base, live):
        return attrs.evolve(change, action=Action.REMOVE)
    return attrs.evolve(change, reason="somebody else changed it")


def _cannot_be_unset(kind: Kind, slot: str, key: str | None) -> bool:
    """Whether PVE refuses to delete an option, and a key with which the option would go."""
    if (kind.family, slot.partition(".")[2]) not in meaning.KEPT:
        return False
    return key is None or removes_slot(kind, slot, {key})


def _is_create_only(path: str) -> bool:
    key = split_path(path)[2]
    firmware = slot_of(path).partition(".")[2] in meaning.FIXED_SIZE_DISKS
    return key in meaning.CREATE_ONLY_KEYS or (firmware and key in meaning.FIRMWARE_KEYS)


def _complete_new_slots(context: _Context, fields: dict[str, FieldChange]) -> None:
    """Write every declared key of an option that is not there yet, defaults too.

    PVE wants some keys even where they say the default (`agent` without `enabled` is refused).
    """
    new = {slot_of(field.path) for field in fields.values() if field.action is Action.ADD}
    for path, field in fields.items():
        waits = field.action is Action.UNCHANGED and path not in context.live
        if waits and slot_of(path) in new - context.slots:
            fields[path] = attrs.evolve(field, action=Action.ADD)


def _guard_shared_slots(context: _Context, fields: dict[str, FieldChange]) -> None:
    """Turn the removal of a slot into a conflict, or let go, where somebody else added to it.

    A network card or disk goes as a whole, with what others set on it.
    """
    by_slot: dict[str, list[FieldChange]] = {}
    for field in fields.values():
        if field.action is Action.REMOVE:
            by_slot.setdefault(slot_of(field.path), []).append(field)
    for slot, removed in by_slot.items():
        if not removes_slot(context.kind, slot, {split_path(field.path)[2] for field in removed}):
            continue
        foreign = sorted(_foreign_keys(context, slot))
        resolution = context.resolution(slot)
        if not foreign or resolution == "ours":
            continue
        reason = f"somebody else set {', '.join(foreign)} on it"
        action = Action.CONFLICT
        if resolution is not None:
            action, reason = Action.RELEASE, f"{reason}; resolved: {resolution}"
        for field in removed:
            fields[field.path] = attrs.evolve(field, action=action, reason=reason)


def removes_slot(kind: Kind, slot: str, keys: set[str | None]) -> bool:
    """Whether an option cannot stay once these keys of it are gone.

    A network card is nothing without its model, a disk nothing without its volume.
    """
    option = options_of(kind).find(slot.partition(".")[2])
    if option is None or option.shape not in (Shape.PROPERTIES, Shape.DISK):
        return False
    vital = {
        key for key, known in option.keys.items() if known.required and known.scalar.default is None
    }
    if option.shape is Shape.DISK:
        vital |= {"volume", "storage"}
    return bool(vital & keys)


def _foreign_keys(context: _Context, slot: str) -> Iterator[str]:
    for path, value in context.live.items():
        key = split_path(path)[2]
        if slot_of(path) != slot or key is None or path in context.owned:
            continue
        if key not in meaning.GENERATED_KEYS and default_of(context.kind, path) != value:
            yield key
