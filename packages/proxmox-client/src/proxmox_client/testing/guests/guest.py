"""The state of one guest: configuration, pending changes, snapshots, and whether it runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

from proxmox_client.testing.digest import digest_of
from proxmox_client.testing.guests import cloudinit_drive, options
from proxmox_client.testing.guests.agentcommands import Processes
from proxmox_client.testing.guests.options import Kind

Status = Literal["running", "stopped"]


@attrs.define
class Snapshot:
    """A snapshot in the configuration file.

    Attributes:
        name: Its name.
        config: The options at that time.
        time: When it was taken.
        description: Free text.
        parent: The snapshot before it.
        vmstate: Volume with the memory's content.
    """

    name: str
    config: dict[str, str]
    time: int
    description: str = ""
    parent: str | None = None
    vmstate: str | None = None

    def stored(self) -> dict[str, str]:
        """Return the section of the configuration file."""
        section = {**self.config, "snaptime": str(self.time)}
        if self.description:
            section["description"] = self.description
        if self.parent:
            section["parent"] = self.parent
        if self.vmstate:
            section["vmstate"] = self.vmstate
        return section


@attrs.define
class Guest:
    """A virtual machine or a container.

    Attributes:
        vmid: Its number.
        kind: ``qemu`` or ``lxc``.
        node: Node whose folder holds the configuration.
        config: Options in force, as text.
        pending: Options that wait for a stop and start, as text.
        pending_delete: Options to be removed then; the value says whether volumes go too.
        snapshots: Snapshots by name, in the order they were taken.
        parent: Snapshot the present state descends from.
        cloudinit: Values the cloud-init drive still has, where the configuration moved on; None
            for an option it does not know of.
        status: ``running`` or ``stopped``.
        started: When it was started; 0 while it is stopped.
        pid: Process of the machine or of the container's init; 0 while it is stopped.
        qmpstatus: What a running machine does: ``running``, ``paused``, ``postmigrate`` …
        born: When it was made; statistics begin with the broadcast after that.
        formatted: Bytes a container's root had when its file system was made; 0: as now.
        responsive: Whether something inside reacts to ACPI and gives devices back.
        agent_answers: Whether a QEMU guest agent runs inside.
        processes: What that agent has started.
    """

    vmid: int
    kind: Kind
    node: str
    config: dict[str, str] = attrs.field(factory=dict[str, str])
    status: Status = "stopped"
    pending: dict[str, str] = attrs.field(factory=dict[str, str])
    pending_delete: dict[str, bool] = attrs.field(factory=dict[str, bool])
    snapshots: dict[str, Snapshot] = attrs.field(factory=dict[str, Snapshot])
    parent: str | None = None
    cloudinit: cloudinit_drive.Behind = attrs.field(factory=dict[str, str | None])
    started: float = 0.0
    pid: int = 0
    qmpstatus: str = "running"
    born: float = 0.0
    formatted: int = 0
    responsive: bool = True
    agent_answers: bool = False
    processes: Processes = attrs.field(factory=Processes, repr=False)

    @property
    def running(self) -> bool:
        """Whether a process of it exists."""
        return self.status == "running"

    @property
    def path(self) -> str:
        """Path of the configuration file as PVE's messages name it."""
        folder = "qemu-server" if self.kind == "qemu" else "lxc"
        return f"nodes/{self.node}/{folder}/{self.vmid}.conf"

    def begin(self, pid: int, now: float) -> None:
        """Mark it as running."""
        self.status, self.pid, self.started, self.qmpstatus = "running", pid, now, "running"

    def end(self) -> None:
        """Mark it as stopped."""
        self.status, self.pid, self.started, self.qmpstatus = "stopped", 0, 0.0, "running"

    @property
    def lock(self) -> str | None:
        """The ``lock`` option."""
        return self.config.get("lock")

    @property
    def template(self) -> bool:
        """Whether it was converted to a template."""
        return self.config.get("template") == "1"

    @property
    def label(self) -> str:
        """How PVE's messages call it: ``VM 100`` or ``CT 200``."""
        return f"{'VM' if self.kind == 'qemu' else 'CT'} {self.vmid}"

    @property
    def name(self) -> str:
        """Name that lists show."""
        if self.kind == "qemu":
            return self.config.get("name", f"VM {self.vmid}")
        return self.config.get("hostname", f"CT{self.vmid}")

    @property
    def digest(self) -> str:
        """Digest of the configuration file."""
        return digest_of(self.text())

    def text(self) -> str:
        """Return the configuration file's text."""
        current = dict(self.config)
        if self.parent:
            current["parent"] = self.parent
        parts = [_section(None, current)]
        if self.pending or self.pending_delete:
            pending = dict(self.pending)
            if self.pending_delete:
                pending["delete"] = ",".join(
                    ("!" if force else "") + name
                    for name, force in sorted(self.pending_delete.items())
                )
            parts.append(_section("PENDING", pending))
        if self.cloudinit:
            parts.append(_section("special:cloudinit", cloudinit_drive.section(self.cloudinit)))
        parts += [_section(name, self.snapshots[name].stored()) for name in sorted(self.snapshots)]
        return "\n".join(parts)

    def merged(self) -> dict[str, str]:
        """Return the options with pending changes applied."""
        kept = {name: text for name, text in self.config.items() if name not in self.pending_delete}
        return {**kept, **self.pending}

    def shown(self, *, current: bool = False) -> dict[str, Any]:
        """Return what GET config answers."""
        answer: dict[str, Any] = options.api_config(
            self.kind, self.config if current else self.merged()
        )
        if self.parent:
            answer["parent"] = self.parent
        return {**answer, "digest": self.digest}

    def pending_list(self) -> list[dict[str, Any]]:
        """Return what GET pending answers."""
        rows: list[dict[str, Any]] = [{"key": "digest", "value": self.digest}]
        for name in self.config:
            row: dict[str, Any] = {"key": name, "value": self._shown_value(name, self.config[name])}
            if name in self.pending:
                row["pending"] = self._shown_value(name, self.pending[name])
            if name in self.pending_delete:
                row["delete"] = 2 if self.pending_delete[name] else 1
            rows.append(row)
        if self.parent:
            rows.append({"key": "parent", "value": self.parent})
        rows += [
            {"key": name, "pending": self._shown_value(name, text)}
            for name, text in self.pending.items()
            if name not in self.config
        ]
        return rows

    def _shown_value(self, name: str, text: str) -> str | int:
        if name == "cipassword":
            return options.HIDDEN
        return options.api_value(self.kind, name, text)

    def want(self, name: str, text: str) -> None:
        """Make a value pending."""
        self.pending[name] = text
        self.pending_delete.pop(name, None)

    def want_deleted(self, name: str, *, force: bool) -> None:
        """Make the removal of an option pending."""
        self.pending.pop(name, None)
        self.pending_delete[name] = force

    def drop_settled(self) -> None:
        """Forget pending changes that would change nothing."""
        for name in [name for name, text in self.pending.items() if self.config.get(name) == text]:
            del self.pending[name]
        for name in [name for name in self.pending_delete if name not in self.config]:
            del self.pending_delete[name]

    def volumes(self) -> Iterable[tuple[str, str, str]]:
        """Yield every reference to a volume: where from, option, value text."""
        for name, text in (*self.config.items(), *self.pending.items()):
            yield "", name, text
        for snapshot in self.snapshots.values():
            for name, text in snapshot.config.items():
                yield snapshot.name, name, text


def _section(title: str | None, entries: Mapping[str, str]) -> str:
    lines = [] if title is None else [f"[{title}]"]
    comment = entries.get("description", "")
    lines += [f"#{line}" for line in comment.splitlines()]
    lines += [f"{name}: {text}" for name, text in sorted(entries.items()) if name != "description"]
    return "\n".join(lines) + "\n"
