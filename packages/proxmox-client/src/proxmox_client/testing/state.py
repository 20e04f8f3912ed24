"""What a simulated cluster is made of: nodes, storages, volumes, guests, pools, accounts.

Here belong plain containers; a guest's own is in `guests.guest`. Behaviour belongs to the
handlers and to `guests`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from proxmox_client.testing.guests.guest import Guest as Guest
from proxmox_client.testing.nodelife import Away

if TYPE_CHECKING:
    from proxmox_client.testing.tasks import TaskRecord


@attrs.define
class Node:
    """One node.

    Attributes:
        name: Its host name.
        address: Its address in the cluster network.
        fingerprint: SHA-256 fingerprint of its certificate, upper case with colons.
        booted: When it started, seconds since the epoch.
        online: Whether the others count it in.
        away: Why it does not answer, if it does not.
        skew: Seconds its clock is wrong.
        pid: Last process id that was given out.
        tasks: Its tasks, oldest first.
        files: Small configuration files by name (``hosts``, ``dns``, …), as handlers keep them.
        broadcast_at: When it last told the others about its guests.
        phase: Where in the ten seconds its tick lies.
        silent_until: When it first tells the others about its guests after a start.
    """

    name: str
    address: str
    fingerprint: str
    booted: float
    online: bool = True
    pid: int = 1000
    cpus: int = 2
    memory: int = 25_276_514_304
    disk: int = 270_553_174_016
    tasks: list[TaskRecord] = attrs.field(factory=list["TaskRecord"])
    files: dict[str, Any] = attrs.field(factory=dict[str, Any])
    broadcast_at: float = 0.0
    phase: float = 0.0
    silent_until: float = 0.0
    away: Away | None = None
    skew: float = 0.0


@attrs.define
class Storage:
    """One entry of the storage configuration.

    Attributes:
        name: Its id.
        type: Plugin: ``dir``, ``lvmthin``, ``nfs``, …
        options: All other options as text (``path``, ``content``, ``nodes``, ``disable`` …).
        total: Size in bytes, per node unless shared.
        base_used: Bytes used by what is not simulated.
    """

    name: str
    type: str
    options: dict[str, str]
    total: int = 270_553_174_016
    base_used: int = 34_701_750_272

    @property
    def shared(self) -> bool:
        """Whether all nodes see the same volumes."""
        return self.options.get("shared") == "1" or self.type in _SHARED_TYPES

    @property
    def enabled(self) -> bool:
        """Whether it is not disabled."""
        return self.options.get("disable", "0") != "1"

    @property
    def content(self) -> list[str]:
        """Content types it may hold."""
        return [part for part in self.options.get("content", "").split(",") if part]

    def allowed_on(self, node: str) -> bool:
        """Whether its configuration allows a node."""
        nodes = self.options.get("nodes")
        return not nodes or node in nodes.split(",")


_SHARED_TYPES = frozenset(
    ("nfs", "cifs", "pbs", "rbd", "cephfs", "iscsi", "iscsidirect", "zfs", "esxi", "glusterfs")
)


@attrs.define
class Volume:
    """Something stored: a disk image, ISO, template, backup or snippet.

    Attributes:
        volid: ``storage:name``.
        node: Node that holds it; empty on a shared storage.
        content: Content type it is listed under.
        format: ``qcow2``, ``raw``, ``iso``, ``tgz``, …
        size: Size in bytes as the owner sees it.
        used: Bytes it takes; None where the storage does not say.
        vmid: Guest it belongs to.
        parent: Base image of a linked clone, as the storage names it.
        payload: What lies in a backup.
    """

    volid: str
    node: str
    content: str
    format: str
    size: int
    ctime: float
    used: int | None = None
    vmid: int | None = None
    parent: str | None = None
    notes: str | None = None
    protected: bool = False
    extra: dict[str, Any] = attrs.field(factory=dict[str, Any])
    payload: object = attrs.field(default=None, repr=False)

    @property
    def storage(self) -> str:
        """Id of the storage it lies on."""
        return self.volid.partition(":")[0]

    @property
    def name(self) -> str:
        """Name within the storage."""
        return self.volid.partition(":")[2]


@attrs.define
class Pool:
    """A pool of guests and storages."""

    poolid: str
    comment: str = ""
    guests: set[int] = attrs.field(factory=set[int])
    storages: set[str] = attrs.field(factory=set[str])


@attrs.define
class Token:
    """An API token of a user."""

    tokenid: str
    secret: str
    privsep: bool = True
    expire: int = 0
    comment: str | None = None


@attrs.define
class User:
    """A user; ``fields`` are e-mail, names, comment and keys as stored."""

    userid: str
    enable: bool = True
    expire: int = 0
    password: str | None = None
    fields: dict[str, str] = attrs.field(factory=dict[str, str])
    groups: set[str] = attrs.field(factory=set[str])
    tokens: dict[str, Token] = attrs.field(factory=dict[str, Token])

    @property
    def realm(self) -> str:
        """Realm part of the id."""
        return self.userid.rpartition("@")[2]


@attrs.define
class Group:
    """A group of users."""

    groupid: str
    comment: str = ""


@attrs.define
class AclEntry:
    """One line of the access control list; ``kind`` is user, group or token."""

    path: str
    kind: str
    ugid: str
    role: str
    propagate: bool = True
