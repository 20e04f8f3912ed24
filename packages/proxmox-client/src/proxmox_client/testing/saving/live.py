"""Reading a live cluster: what its API tells, by path, without secrets and without writing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from proxmox_client.errors import PveError
from proxmox_client.testing.saving.building import Copy, from_answers
from proxmox_client.testing.saving.wirevalues import fields, is_dict, is_list, rows

if TYPE_CHECKING:
    from proxmox_client.testing.saving.building import Answers

# Left out of every answer, however deep: a copy needs no secret.
SECRETS = frozenset(
    ("password", "new-password", "monpasswd", "secret", "token", "keyring", "encryption-key",
     "master-pubkey", "cipassword", "keys", "client-key", "client_secret", "ticket",
     "CSRFPreventionToken", "x-api-key")
)  # fmt: skip
_ONCE = (
    "/version", "/cluster/status", "/cluster/resources", "/storage", "/access/users",
    "/access/groups", "/access/roles", "/access/acl", "/access/domains", "/cluster/options",
    "/cluster/backup", "/cluster/ha/resources", "/cluster/ha/rules", "/cluster/firewall/options",
    "/cluster/firewall/rules", "/cluster/firewall/aliases", "/cluster/sdn/zones",
    "/cluster/sdn/vnets", "/cluster/sdn/controllers", "/cluster/sdn/ipams", "/cluster/sdn/dns",
    "/cluster/mapping/dir", "/cluster/mapping/pci", "/cluster/mapping/usb",
)  # fmt: skip
_GUEST = ("pending", "firewall/options", "firewall/rules", "firewall/aliases", "firewall/ipset")


class Reader(Protocol):
    """What is needed of a client."""

    def request(self, method: str, path: str, params: Mapping[str, object] = ...) -> Any:
        """Ask and return what stands under `data`."""
        ...


def copy_live(client: Reader, progress: Callable[[str], None] | None = None) -> Copy:
    """Make a simulated copy of the cluster a client talks to; only reads, never writes.

    What the client may not see, or the server does not know, is not in the copy. Passwords,
    secrets of tokens and other secrets are never asked for and dropped wherever they are told.

    Args:
        client: A `proxmox_client.Client`.
        progress: Told each path before it is read.

    Raises:
        PveError: The server cannot be reached, or refuses the credentials.
    """
    return from_answers(read(client, progress))


def read(client: Reader, progress: Callable[[str], None] | None = None) -> Answers:
    """Read everything a copy is made of: answers without secrets, by path."""
    return _Reading(client, progress or _silent).everything()


def scrubbed(value: Any) -> Any:
    """Return an answer without its secrets."""
    if is_dict(value):
        return {name: scrubbed(part) for name, part in value.items() if name not in SECRETS}
    if is_list(value):
        return [scrubbed(part) for part in value if fields(part).get("key") not in SECRETS]
    return value


class _Reading:
    def __init__(self, client: Reader, progress: Callable[[str], None]) -> None:
        self._client = client
        self._progress = progress
        self.answers: dict[str, Any] = {}

    def everything(self) -> dict[str, Any]:
        # Whoever cannot even read the version has no business here: this one raises.
        self._client.request("GET", "/version", {})
        for path in _ONCE:
            self._read(path, {"full": 1} if path == "/access/users" else {})
        # Lists whose entries say more when they are read one by one.
        for path, key, rest in (
            ("/pools", "poolid", ""),
            ("/cluster/firewall/groups", "group", ""),
            ("/cluster/firewall/ipset", "name", ""),
            ("/cluster/sdn/vnets", "vnet", "/subnets"),
        ):
            for row in rows(self._read(path)):
                self._read(f"{path}/{row[key]}{rest}")
        nodes = sorted(
            str(row["node"])
            for row in rows(self.answers.get("/cluster/resources"))
            if row.get("type") == "node" and row.get("status") != "offline"
        )
        for node in nodes:
            self._node(node)
        for row in rows(self.answers.get("/cluster/resources")):
            if row.get("type") in ("qemu", "lxc") and row["node"] in nodes:
                self._guest(f"/nodes/{row['node']}/{row['type']}/{row['vmid']}")
        return self.answers

    def _node(self, node: str) -> None:
        for name in ("status", "network", "dns"):
            self._read(f"/nodes/{node}/{name}")
        for storage in rows(self._read(f"/nodes/{node}/storage")):
            if storage.get("active"):
                self._read(f"/nodes/{node}/storage/{storage['storage']}/content")

    def _guest(self, path: str) -> None:
        self._read(f"{path}/config", {"current": 1})
        for name in _GUEST:
            self._read(f"{path}/{name}")
        for ipset in rows(self.answers.get(f"{path}/firewall/ipset")):
            self._read(f"{path}/firewall/ipset/{ipset['name']}")
        for snapshot in rows(self._read(f"{path}/snapshot")):
            if snapshot["name"] != "current":
                self._read(f"{path}/snapshot/{snapshot['name']}/config")

    def _read(self, path: str, params: Mapping[str, object] | None = None) -> Any:
        self._progress(path)
        try:
            found = scrubbed(self._client.request("GET", path, params or {}))
        except PveError:
            return None
        self.answers[path] = found
        return found


def _silent(path: str) -> None:
    """Take a path nobody wants to hear of."""
