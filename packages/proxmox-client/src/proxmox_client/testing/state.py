"""What a simulated cluster is made of: nodes, storages, volumes, guests, pools, accounts.

Here belong plain containers. Behaviour belongs to the handlers and to `guests`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs

from proxmox_client.testing.digest import config_text, digest_of

if TYPE_CHECKING:
    from proxmox_client.testing.tasks import TaskRecord

GuestKind = Literal["qemu", "lxc"]
GuestStatus = Literal["running", "stopped"]


@attrs.define
class Node:
    """One node.

    Attributes:
        name: Its host name.
        address: Its address in the cluster network.
        fingerprint: SHA-256 fingerprint of its certificate, upper case with colons.
        booted: When it started, seconds since the epoch.
        online: Whether it answers.
        pid: Last process id that was given out.
        tasks: Its tasks, oldest first.
        files: Small configuration files by name (``hosts``, ``dns``, …), as handlers keep them.
        broadcast: What its guests looked like at its last ten-second tick, by vmid.
        broadcast_at: When that tick was.
        phase: Where in the ten seconds its tick lies.
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
    broadcast: dict[int, dict[str, Any]] = attrs.field(factory=dict[int, dict[str, Any]])
    broadcast_at: float = 0.0
    phase: float = 0.0


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


_SHARED_TYPES = frozenset(("nfs", "cifs", "pbs", "rbd", "cephfs", "iscsi", "iscsidirect", "esxi"))


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

    @property
    def storage(self) -> str:
        """Id of the storage it lies on."""
        return self.volid.partition(":")[0]

    @property
    def name(self) -> str:
        """Name within the storage."""
        return self.volid.partition(":")[2]


@attrs.define
class Guest:
    """A virtual machine or container.

    Attributes:
        kind: ``qemu`` or ``lxc``.
        config: Options as the text in the configuration file, without pending ones.
        pending: Options waiting for a restart.
        pending_delete: Options to be removed at a restart, with their force flag.
        snapshots: Snapshots by name: their options and ``snaptime``, ``parent``, ``vmstate`` …
        status: Whether it runs.
        started: When it was started.
        runtime: What exists only while it runs (agent, qmpstatus, pid …); handlers' own.
    """

    vmid: int
    kind: GuestKind
    node: str
    config: dict[str, str]
    status: GuestStatus = "stopped"
    pending: dict[str, str] = attrs.field(factory=dict[str, str])
    pending_delete: dict[str, int] = attrs.field(factory=dict[str, int])
    snapshots: dict[str, dict[str, Any]] = attrs.field(factory=dict[str, dict[str, Any]])
    started: float = 0.0
    runtime: dict[str, Any] = attrs.field(factory=dict[str, Any])

    @property
    def lock(self) -> str | None:
        """The ``lock:`` property."""
        return self.config.get("lock")

    @property
    def template(self) -> bool:
        """Whether it is a template."""
        return self.config.get("template") == "1"

    @property
    def name(self) -> str:
        """Name of a VM, host name of a container."""
        option, prefix = ("name", "VM") if self.kind == "qemu" else ("hostname", "CT")
        return self.config.get(option) or f"{prefix} {self.vmid}"

    @property
    def path(self) -> str:
        """Path of the configuration file as PVE's messages name it."""
        folder = "qemu-server" if self.kind == "qemu" else "lxc"
        return f"nodes/{self.node}/{folder}/{self.vmid}.conf"

    def text(self) -> str:
        """Return the configuration file's text."""
        sections = [config_text(self.config)]
        if self.pending or self.pending_delete:
            waiting: dict[str, object] = dict(self.pending)
            if self.pending_delete:
                waiting["delete"] = ",".join(sorted(self.pending_delete))
            sections.append("[PENDING]\n" + config_text(waiting))
        for name in sorted(self.snapshots):
            sections.append(f"[{name}]\n" + config_text(self.snapshots[name]))
        return "\n".join(sections)

    @property
    def digest(self) -> str:
        """SHA-1 of the configuration file."""
        return digest_of(self.text())


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
