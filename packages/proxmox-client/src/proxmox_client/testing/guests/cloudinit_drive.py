"""What a machine's cloud-init drive was made of, where its configuration has moved on since.

PVE notes this while the machine runs, in a section of the configuration of its own: a stopped
machine gets a new drive at its start anyway. The value of an entry is what the drive has, None
where the option was not set when the drive was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proxmox_client.testing.guests import cloudinit, drives, options

Behind = dict[str, str | None]


def slot(config: Mapping[str, str]) -> str | None:
    """Return the slot of a machine's cloud-init drive, None without one."""
    found = (drive.slot for drive in drives.drives("qemu", config) if drive.is_cloudinit)
    return next(found, None)


def note(behind: Behind, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Note what a change of a running machine leaves the drive without."""
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name), after.get(name)
        if old == new or not cloudinit.is_key(name):
            continue
        if name not in behind:
            behind[name] = old
        elif behind[name] == new:
            del behind[name]
    if slot(after) is None:
        behind.clear()


def section(behind: Mapping[str, str | None]) -> dict[str, str]:
    """Return the section of the configuration file."""
    added = ",".join(sorted(name for name, value in behind.items() if value is None))
    kept = {name: value for name, value in behind.items() if value is not None}
    return {**kept, "added": added} if added else kept


def rows(config: Mapping[str, str], behind: Mapping[str, str | None]) -> list[dict[str, Any]]:
    """Return what PVE lists of the drive and what waits for it.

    Like PVE it does not show that a name, a network card or an ``ipconfigN`` that was there before
    has another value now, and takes a value of 0 for none.
    """
    added = [name for name, value in sorted(behind.items()) if value is None]
    found: list[dict[str, Any]] = [
        {"key": name, "pending": _shown(name, config[name])} for name in added if name in config
    ]
    for name, text in config.items():
        if name in cloudinit.KEYS and name not in added and text not in ("", "0"):
            old = behind.get(name)
            row = {"key": name, "value": _shown(name, text)}
            if old not in (None, "", "0"):
                row = {"key": name, "value": _shown(name, str(old)), "pending": row["value"]}
            found.append(row)
    found += [
        {"key": name, "delete": 1}
        for name, value in behind.items()
        if value is not None and config.get(name, "") in ("", "0")
    ]
    return found


def _shown(name: str, text: str) -> str | int:
    return options.HIDDEN if name == "cipassword" else options.api_value("qemu", name, text)
