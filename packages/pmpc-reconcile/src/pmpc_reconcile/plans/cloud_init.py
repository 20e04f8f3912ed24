"""The cloud-init drive of a running guest: which options are on it and when it lacks new values.

PVE writes the drive anew at each start and reboot it makes. While the guest runs, the drive keeps
what it was made of until it is asked to be regenerated, unless the guest's hot-plug includes
`cloudinit`. The whole drive is written, from every option: there is no part of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from pmpc_reconcile.classify import CLOUD_INIT, hotplug_features
from pmpc_reconcile.identity.disks import disks_of
from pmpc_reconcile.values import split_path

if TYPE_CHECKING:
    from pmpc_reconcile.diff import FieldChange
    from pmpc_reconcile.live import GuestObject

BEHIND: Final = "cloud-init"
"""Name in a recorded identity: options that were written, the drive not yet."""
FEATURE: Final = "cloudinit"
# PVE does not note a new password, so its hot-plug does not follow one, either.
_UNNOTED: Final = frozenset({"cipassword"})
# PVE notes these, and its list does not tell when they change from one value to another.
_UNLISTED: Final = _UNNOTED | {"ipconfig", "net", "name", "ciupgrade"}


def family(option: str) -> str:
    """Return an option's name without its index."""
    return re.sub(r"(?<=net|fig)\d+$", "", option)


def has_drive(guest: GuestObject) -> bool:
    """Return whether a guest runs with a cloud-init drive of its own."""
    mine = re.compile(rf"[:/]vm-{guest.vmid}-cloudinit(\.\w+)?$")
    disks = disks_of(guest.running_config)
    return guest.guest == "qemu" and any(mine.search(disk.volume) for disk in disks)


def follows(guest: GuestObject) -> bool:
    """Return whether PVE regenerates the drive by itself when options change."""
    return FEATURE in hotplug_features(guest.running_config)


def is_worth_asking(guest: GuestObject, declared: Iterable[str]) -> bool:
    """Return whether a guest's drive may lack values of options that are declared."""
    if not guest.running or follows(guest) or not has_drive(guest):
        return False
    return any(family(option) in CLOUD_INIT for option in declared)


def written_to(
    guest: GuestObject, changes: Iterable[FieldChange], effects: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the options whose change a running guest's drive would not get by itself."""
    if not guest.running or not has_drive(guest):
        return ()
    keys = {
        option
        for change in changes
        if (option := split_path(change.path)[1]) is not None
        and change.path.startswith("config.")
        and effects.get(change.path) == "live"
        and family(option) in CLOUD_INIT | {"name", "net"}
    }
    if follows(guest) and not keys <= _UNNOTED:
        return ()
    return tuple(sorted(keys))


def options_declared(fields: Iterable[str]) -> frozenset[str]:
    """Return the options that the paths of a manifest are about."""
    paths = (split_path(path) for path in fields)
    return frozenset(option for section, option, _ in paths if section == "config" and option)


def behind_rows(rows: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Return the options of PVE's list whose value is not on the drive."""
    return frozenset(str(row["key"]) for row in rows if "pending" in row or row.get("delete"))


def ours_behind(
    guest: GuestObject,
    declared: Iterable[str],
    identity: Mapping[str, str],
    rows: frozenset[str] | None,
) -> tuple[str, ...]:
    """Return the options of ours that a running guest's drive lacks by an earlier change.

    Args:
        guest: The guest.
        declared: Options that are declared.
        identity: What is recorded of it: options whose apply did not come to the drive.
        rows: What PVE lists as waiting for the drive; None if it was not asked.
    """
    if not guest.running or not has_drive(guest):
        return ()
    begun = frozenset(filter(None, identity.get(BEHIND, "").split(",")))
    if rows is None:
        return tuple(sorted(begun))
    unlisted = {option for option in begun if family(option) in _UNLISTED}
    return tuple(sorted(rows & begun.union(declared) | unlisted))


@attrs.frozen
class DriveLack:
    """What a running guest's drive lacks once the options are written.

    Attributes:
        keys: The options.
        why: For people.
    """

    keys: tuple[str, ...] = ()
    why: str = ""


NOTHING_LACKS: Final = DriveLack()


def lack(changed: Iterable[str], behind: Iterable[str]) -> DriveLack:
    """Return what a drive lacks.

    Args:
        changed: Options that are about to be written.
        behind: Options that were written before.
    """
    keys = tuple(sorted({*changed, *behind}))
    if not keys:
        return NOTHING_LACKS
    since = f"it still has the former {', '.join(sorted(behind))}; " if behind else ""
    return DriveLack(
        keys,
        f"{since}while a guest runs, its drive keeps what it was made of; "
        "cloud-init in the guest reads it at its next boot",
    )


def remark(rows: Iterable[str], ours: Iterable[str], *, written: bool) -> tuple[str, ...]:
    """Say what becomes of values that wait for the drive and are not declared.

    Args:
        rows: What waits.
        ours: What of it is ours.
        written: Whether the drive is written.
    """
    theirs = ", ".join(sorted(set(rows) - set(ours)))
    if not theirs:
        return ()
    if written:
        return (f"its cloud-init drive gets {theirs}, too: it is written from every option",)
    return (f"its cloud-init drive lacks {theirs}, not declared here: it is left as it is",)
