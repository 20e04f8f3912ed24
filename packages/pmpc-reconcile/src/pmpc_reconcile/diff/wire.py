"""Turn changes of fields into the parameters of PVE's calls.

Property strings are written as a whole, so they are rebuilt from the live one: keys nobody declared
here, the MAC address and the volume stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from pmpc_reconcile.diagnostics import Diagnostic, error
from pmpc_reconcile.diff.change import Action, FieldChange
from pmpc_reconcile.diff.threeway import removes_slot
from pmpc_reconcile.kinds import Kind, Option, Shape, meaning, options_of
from pmpc_reconcile.values import (
    Absent,
    FieldValue,
    Secret,
    SecretMark,
    parse_size,
    read_option,
    split_path,
    write_option,
)


@attrs.frozen
class Resize:
    """Grow a volume.

    Attributes:
        disk: The option: `scsi0`.
        size: The new size in bytes.
        text: The new size as PVE takes it: `64G`.
    """

    disk: str
    size: int
    text: str


@attrs.frozen
class Move:
    """Move a volume to another storage."""

    disk: str
    storage: str


@attrs.define
class Wire:
    """What to send for an object's changes.

    The order that works: resize, then one config write, then moves.

    Attributes:
        set: Options to set; secrets are `Secret` values.
        delete: Options to delete.
        resize: Volumes to grow.
        move: Volumes to move.
        refused: Changes that cannot be made this way; nothing should be sent then. Each message
            begins with the name of its option.
    """

    set: dict[str, str | Secret] = attrs.field(factory=dict[str, "str | Secret"])
    delete: list[str] = attrs.field(factory=list[str])
    resize: list[Resize] = attrs.field(factory=list[Resize])
    move: list[Move] = attrs.field(factory=list[Move])
    refused: list[Diagnostic] = attrs.field(factory=list[Diagnostic])

    @property
    def empty(self) -> bool:
        """Whether there is nothing to send."""
        return not (self.set or self.delete or self.resize or self.move)

    def parameters(self) -> dict[str, str]:
        """Return the parameters of the config write, secrets in clear: only for sending."""
        found = {
            name: value.text if isinstance(value, Secret) else value
            for name, value in self.set.items()
        }
        if self.delete:
            found["delete"] = ",".join(self.delete)
        return found


_Keys = dict[str | None, FieldChange]


def to_wire(kind: Kind, changes: Iterable[FieldChange], live_config: Mapping[str, Any]) -> Wire:
    """Return what to send to make changes.

    Args:
        kind: The kind of object.
        changes: What to change; entries that write nothing, and fields outside `config`, are
            passed over.
        live_config: The server's configuration with pending changes (GET config), from which the
            rest of each property string is taken.
    """
    wire = Wire()
    options = options_of(kind)
    grouped: dict[str, _Keys] = {}
    for change in changes:
        section, name, key = split_path(change.path)
        if section == "config" and name is not None and change.action.writes:
            grouped.setdefault(name, {})[key] = change
    for name, keys in grouped.items():
        option = options.find(name)
        if option is not None:
            _write(wire, kind, name, option, keys, live_config.get(name))
    wire.delete.sort()
    return wire


def _write(wire: Wire, kind: Kind, name: str, option: Option, keys: _Keys, live: Any) -> None:
    if option.shape is Shape.DISK:
        _write_disk(wire, kind, name, option, keys, live)
    elif option.shape is Shape.PROPERTIES:
        _write_properties(wire, kind, name, option, keys, live)
    elif option.shape is Shape.SET:
        values = _merged({} if live is None else read_option(option, live), keys)
        _set_or_delete(wire, name, option, values)
    elif keys[None].action is not Action.REMOVE:
        _write_single(wire, name, option, keys[None].desired)
    else:
        wire.delete.append(name)


def _write_single(wire: Wire, name: str, option: Option, value: FieldValue | Absent) -> None:
    if isinstance(value, SecretMark):
        _refuse(
            wire,
            f"{name} cannot be written: only the fingerprint of the secret is known",
            "apply the manifest that holds it",
        )
    elif isinstance(value, Secret):
        wire.set[name] = value
    elif not isinstance(value, Absent):
        wire.set[name] = write_option(option, {None: value})


def _write_properties(
    wire: Wire, kind: Kind, name: str, option: Option, keys: _Keys, live: Any
) -> None:
    removed = {key for key, change in keys.items() if change.action is Action.REMOVE}
    values = _merged({} if live is None else read_option(option, live), keys)
    if removes_slot(kind, f"config.{name}", removed):
        wire.delete.append(name)
        return
    for key, known in option.keys.items():
        if values and known.required and known.scalar.default is not None:
            values.setdefault(key, known.scalar.default)
    missing = [key for key, known in option.keys.items() if known.required and key not in values]
    if missing and values:
        _refuse(wire, f"{name} needs {' and '.join(map(repr, missing))}", None)
    else:
        _set_or_delete(wire, name, option, values)


def _merged(values: Mapping[str | None, FieldValue], keys: _Keys) -> dict[str | None, FieldValue]:
    merged = dict(values)
    for key, change in keys.items():
        if change.action is Action.REMOVE or isinstance(change.desired, Absent):
            merged.pop(key, None)
        else:
            merged[key] = change.desired
    return merged


def _set_or_delete(
    wire: Wire, name: str, option: Option, values: Mapping[str | None, FieldValue]
) -> None:
    if values:
        wire.set[name] = write_option(option, values)
    else:
        wire.delete.append(name)


def _write_disk(wire: Wire, kind: Kind, name: str, option: Option, keys: _Keys, live: Any) -> None:
    removed = {key for key, change in keys.items() if change.action is Action.REMOVE}
    if live is None:
        _write_new_disk(wire, name, option, _merged({}, keys))
        return
    if removes_slot(kind, f"config.{name}", removed):
        if name == "rootfs":
            _refuse(wire, "rootfs cannot be removed from a container", None)
        else:
            wire.delete.append(name)
        return
    before = read_option(option, live)
    rest = dict(keys)
    if _is_other_medium(before, rest):
        _write_new_disk(wire, name, option, _other_medium(before, rest))
        return
    resize = rest.pop("size", None)
    move = rest.pop("storage", None)
    if resize is not None and resize.action is not Action.REMOVE:
        _resize(wire, name, str(before.get("size", "0")), str(resize.desired))
    if move is not None and move.action is not Action.REMOVE:
        wire.move.append(Move(name, str(move.desired)))
    rest = {key: change for key, change in rest.items() if key not in meaning.CREATE_ONLY_KEYS}
    if rest:
        values = _merged(before, rest)
        if resize is not None and wire.resize and wire.resize[-1].disk == name:
            # A pending string with the old size would take the growth back when it is applied.
            values["size"] = wire.resize[-1].text
        wire.set[name] = write_option(option, values)


def _is_other_medium(before: Mapping[str | None, FieldValue], keys: _Keys) -> bool:
    """Whether the slot shall hold something else than a moved or grown version of what it holds."""
    if "volume" in keys or "cloudinit" in keys:
        return True
    removable = before.get("media") == "cdrom" or before.get("volume") in ("none", "cdrom")
    return removable and not before.get("cloudinit") and "storage" in keys


def _other_medium(
    before: Mapping[str | None, FieldValue], keys: _Keys
) -> dict[str | None, FieldValue]:
    kept = {
        key: value
        for key, value in before.items()
        if key not in ("volume", "storage", "size", "cloudinit")
    }
    if "storage" in keys and "volume" not in keys:
        kept.pop("media", None)
    return _merged(kept, keys)


def _write_new_disk(
    wire: Wire, name: str, option: Option, values: dict[str | None, FieldValue]
) -> None:
    sized = "size" in values or "import-from" in values or values.get("cloudinit")
    if "volume" not in values and "storage" not in values:
        _refuse(
            wire,
            f"{name} needs a storage (for a new volume) or a volume",
            f"write {name}: {{storage: local-lvm, size: 32G}}",
        )
    elif "volume" not in values and not sized and name not in meaning.FIXED_SIZE_DISKS:
        _refuse(wire, f"{name} needs a size", f"write {name}: {{storage: ..., size: 32G}}")
    else:
        missing = [
            key
            for key, known in option.keys.items()
            if known.required and key not in values and key != "volume"
        ]
        if missing:
            _refuse(wire, f"{name} needs {' and '.join(map(repr, missing))}", None)
        else:
            wire.set[name] = write_option(option, values)


def _resize(wire: Wire, name: str, before: str, after: str) -> None:
    if parse_size(after) < parse_size(before):
        _refuse(
            wire,
            f"{name} cannot shrink from {before} to {after}: volumes only grow",
            f"write size: {before}, or leave the size out",
        )
    else:
        wire.resize.append(Resize(name, parse_size(after), after))


def _refuse(wire: Wire, message: str, hint: str | None) -> None:
    wire.refused.append(error(message, hint=hint))
