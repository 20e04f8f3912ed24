"""Virtual machines and containers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import attrs

from pmpc_state.filters.fields import Place
from pmpc_state.filters.tables import Kept, column, fact, option
from pmpc_state.readmodels.base import ReadModel, slots
from proxmox_client.options import (
    AgentQemu,
    BootQemu,
    CpuQemu,
    FeaturesLxc,
    HostpciQemu,
    IdeQemu,
    IpconfigQemu,
    MpLxc,
    NetLxc,
    NetQemu,
    RootfsLxc,
    SataQemu,
    ScsiQemu,
    Startup,
    UsbQemu,
    VirtioQemu,
)

Disk = IdeQemu | SataQemu | ScsiQemu | VirtioQemu
"""A disk or drive of a virtual machine; all have `file` and `size`."""


@attrs.frozen(kw_only=True)
class Guest(ReadModel):
    """What virtual machines and containers share.

    Attributes:
        lock: The task that holds it: backup, migrate, snapshot ….
        ha_state: What HA wants of it.
        cpus: Processors it may use.
        cpu_usage: From 0 to 1.
        memory: What is configured, in MiB.
        pending: Options that wait for a restart, with their present value and the coming one.
    """

    vmid: Annotated[int, column(Place.KEY)]
    name: Annotated[str, column(Place.NAME)]
    node: Annotated[str | None, column(Place.NODE)]
    status: Annotated[str | None, column(Place.STATUS)]
    tags: tuple[str, ...]
    template: Annotated[bool, fact("template")]
    lock: Annotated[str | None, fact("lock")]
    pool: Annotated[str | None, fact("pool")]
    ha_state: Annotated[str | None, fact("hastate")]
    cpus: Annotated[float | None, fact("maxcpu")]
    cpu_usage: Annotated[float | None, fact("cpu")]
    memory_bytes: Annotated[int | None, fact("maxmem")]
    memory_used_bytes: Annotated[int | None, fact("mem")]
    disk_bytes: Annotated[int | None, fact("maxdisk")]
    uptime_seconds: Annotated[int | None, fact("uptime")]
    cores: int | None
    memory: int | None
    cpulimit: float | None
    cpuunits: int | None
    onboot: bool | None
    protection: bool | None
    startup: Startup | None
    ostype: str | None
    arch: str | None
    description: str | None
    hookscript: str | None
    nameserver: str | None
    searchdomain: str | None
    pending: Annotated[Mapping[str, Any], Kept(Place.DOCUMENT, (("pending",),))]


@attrs.frozen(kw_only=True)
class VirtualMachine(Guest):
    """A virtual machine.

    Attributes:
        disks: Disks and drives by slot: `disks["scsi0"].file`.
        networks: Network cards by slot: `networks["net0"].bridge`.
        addresses: What cloud-init sets, by slot: `addresses["ipconfig0"].ip`.
        balloon: The least memory, in MiB; 0 without ballooning.
        cpu_type: The processor it sees, with its flags.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("qemu",)

    sockets: int | None
    vcpus: int | None
    cpu_type: Annotated[CpuQemu | None, option("cpu")]
    balloon: int | None
    shares: int | None
    numa: bool | None
    bios: str | None
    machine: str | None
    scsihw: str | None
    boot: BootQemu | None
    agent: AgentQemu | None
    hotplug: str | None
    hugepages: str | None
    kvm: bool | None
    acpi: bool | None
    tablet: bool | None
    localtime: bool | None
    citype: str | None
    ciuser: str | None
    smbios1: str | None
    vmgenid: str | None
    disks: Annotated[Mapping[str, Disk], slots("ide", "sata", "scsi", "virtio")]
    networks: Annotated[Mapping[str, NetQemu], slots("net")]
    addresses: Annotated[Mapping[str, IpconfigQemu], slots("ipconfig")]
    pci_devices: Annotated[Mapping[str, HostpciQemu], slots("hostpci")]
    usb_devices: Annotated[Mapping[str, UsbQemu], slots("usb")]


@attrs.frozen(kw_only=True)
class GuestSnapshots(ReadModel):
    """The snapshots of a guest.

    Attributes:
        guest: Its address: `qemu/100`.
        snapshots: By name, in PVE's option names: `snaptime`, `parent`, `description`, `vmstate`.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("guest-snapshots",)

    guest: Annotated[str, column(Place.KEY)]
    snapshots: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Container(Guest):
    """A container.

    Attributes:
        swap: In MiB.
        mounts: Mount points by slot: `mounts["mp0"].mp`.
        networks: Network cards by slot: `networks["net0"].bridge`.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("lxc",)

    hostname: str | None
    swap: int | None
    unprivileged: bool | None
    features: FeaturesLxc | None
    timezone: str | None
    console: bool | None
    cmode: str | None
    tty: int | None
    root: Annotated[RootfsLxc | None, option("rootfs")]
    mounts: Annotated[Mapping[str, MpLxc], slots("mp")]
    networks: Annotated[Mapping[str, NetLxc], slots("net")]
