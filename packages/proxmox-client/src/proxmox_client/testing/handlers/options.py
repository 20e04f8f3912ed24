"""Datacenter options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from proxmox_client.testing.formats import split_list
from proxmox_client.testing.request import Call
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

# Options that come back as objects although they are sent as property strings.
_PARSED = {
    "bwlimit": "", "consent-text": "", "crs": "", "ha": "", "location": "", "migration": "type",
    "next-id": "", "notify": "", "replication": "type", "tag-style": "", "u2f": "",
    "user-tag-access": "", "webauthn": "",
}  # fmt: skip
_NUMBERS = ("max_workers",)


def _stored(cluster: SimulatedCluster) -> dict[str, str]:
    return cast("dict[str, str]", cluster.files.setdefault("datacenter", {"keyboard": "en-us"}))


def _shown(name: str, text: str) -> Any:
    if name in _NUMBERS and text.isdecimal():
        return int(text)
    default = _PARSED.get(name)
    if default is None:
        return text
    parts = (part.partition("=") for part in text.split(",") if part)
    return {(key if equals else default): value if equals else key for key, equals, value in parts}


@handles("GET", "/cluster/options")
def read_options(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return the datacenter's options; without Sys.Audit only the tags in use."""
    tags = sorted(
        {
            tag
            for guest in cluster.guests.values()
            if cluster.access.allows(call.identity, f"/vms/{guest.vmid}", ["VM.Audit"])
            for tag in split_list(guest.config.get("tags", ""))
        }
    )
    if not cluster.access.allows(call.identity, "/", ["Sys.Audit"]):
        return {"allowed-tags": tags}
    shown = {name: _shown(name, text) for name, text in _stored(cluster).items()}
    return {"mac_prefix": "BC:24:11", "description": ""} | shown | {"allowed-tags": tags}


@handles("PUT", "/cluster/options")
def write_options(cluster: SimulatedCluster, call: Call) -> None:
    """Change options; there is no digest here."""
    stored = _stored(cluster)
    for name in split_list(call.get("delete", "")):
        stored.pop(name, None)
    for name, text in call.sent.items():
        if name != "delete":
            stored[name] = f"{text.rstrip()}\n" if name == "description" else text
