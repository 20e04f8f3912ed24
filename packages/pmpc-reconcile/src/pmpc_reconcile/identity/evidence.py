"""What besides the marker tells one guest from another with the same vmid."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

_UUID = re.compile(r"(?:^|,)uuid=([0-9a-fA-F-]{36})(?:,|$)")
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")


@attrs.frozen
class Evidence:
    """Traits of a guest that a stranger with the same vmid does not share.

    Attributes:
        uuid: SMBIOS uuid of a virtual machine, lower case; None for containers.
        macs: Hardware addresses of its network interfaces, upper case.
    """

    uuid: str | None = None
    macs: frozenset[str] = frozenset()

    def proves(self, other: Evidence) -> bool:
        """Return whether both are traits of one guest.

        The uuid decides where both have one; else a shared hardware address does.
        """
        if self.uuid is not None and other.uuid is not None:
            return self.uuid == other.uuid
        return bool(self.macs & other.macs)

    def contradicts(self, other: Evidence) -> bool:
        """Return whether they can only be traits of two guests."""
        return self.uuid is not None and other.uuid is not None and self.uuid != other.uuid

    def to_record(self) -> dict[str, str]:
        """Return text by name, as the state database keeps it."""
        record = {"macs": ",".join(sorted(self.macs))} if self.macs else {}
        return record if self.uuid is None else {**record, "uuid": self.uuid}

    @staticmethod
    def from_record(record: Mapping[str, str]) -> Evidence:
        """Return what `to_record` gave."""
        macs = record.get("macs", "")
        return Evidence(record.get("uuid"), frozenset(macs.split(",")) if macs else frozenset())


def evidence_of(config: Mapping[str, Any]) -> Evidence:
    """Return the traits a guest's configuration shows (PVE's own keys)."""
    smbios = _UUID.search(str(config.get("smbios1", "")))
    macs = {
        match.group().upper()
        for key, value in config.items()
        if re.fullmatch(r"net\d+", key)
        for match in _MAC.finditer(str(value))
    }
    return Evidence(smbios.group(1).lower() if smbios else None, frozenset(macs))
