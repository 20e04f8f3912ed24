"""Which volumes a token is shown: PVE leaves the others out of its lists without a word.

What pve-storage's `check_volume_access` asks for: whoever may allocate on a storage sees all of
it; else an ISO image or a template shows to whoever may audit the storage, a disk only together
with the right to configure disks of its guest, a backup with the right to back it up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

Privileges = Mapping[str, Iterable[str]]
_OPEN: Final = ("iso/", "vztmpl/", "import/")
_OWNER: Final = re.compile(r"(?:vm|base|subvol|basevol)-(\d+)(?=[-.]|$)")
_BACKUP: Final = re.compile(r"backup/(?:vzdump-[a-z]+-(\d+)-|(?:vm|ct)/(\d+)/)")
AUDIT: Final = "Datastore.Audit"
ALLOCATE: Final = "Datastore.Allocate"
SPACE: Final = "Datastore.AllocateSpace"
DISK: Final = "VM.Config.Disk"
BACKUP: Final = "VM.Backup"


def is_shown(volid: str, privileges: Privileges) -> bool:
    """Say whether a list of its storage would show a volume, if it were there."""
    storage, _, name = volid.partition(":")
    held = _held(privileges, f"/storage/{storage}")
    if ALLOCATE in held:
        return True
    if name.startswith(_OPEN):
        return AUDIT in held or SPACE in held
    backup = _BACKUP.match(name)
    if backup is not None:
        owner = backup.group(1) or backup.group(2)
        return SPACE in held and BACKUP in _held(privileges, f"/vms/{owner}")
    # A linked clone names its base first, and itself last.
    owners = _OWNER.findall(name)
    return bool(owners) and AUDIT in held and DISK in _held(privileges, f"/vms/{owners[-1]}")


def _held(privileges: Privileges, path: str) -> frozenset[str]:
    """Return the privileges at a path: those of the nearest path above it that has any."""
    above = [one for one in privileges if one == "/" or f"{path}/".startswith(f"{one}/")]
    return frozenset(privileges[max(above, key=len)]) if above else frozenset()
