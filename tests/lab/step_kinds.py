"""Every kind of step the engine knows, how to come by it, and how it is seen to be done once.

A row declares something, says what somebody does to it, and names the step that puts it right.
"""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Callable, Iterable, Sequence

import attrs

from pmpc_reconcile.manifests import Manifest, load_text
from pmpc_reconcile.plans import steps
from proxmox_client.testing import SimulatedCluster

IMAGE_URL = "https://images.example.org/tiny.iso"
IMAGE = b"an image" * 1000
_CT = "local:vztmpl/debian-13-standard.tar.zst"
_NETWORK = "/nodes/pve1/network"

Spoil = Callable[[SimulatedCluster], None]


@attrs.frozen
class StepKind:
    """A kind of step.

    Attributes:
        name: For people, and the name of the objects.
        step: Its type.
        id: Its id in the plan.
        call: The call at which the worker dies, as the journal names it; may end in `*`.
        sends: The request, as `METHOD /path` with `*`; it has to be sent as often as `times`.
        declared: Manifests that hold before and, unless there is `wanted`, after.
        wanted: Manifests that need the step; None if what somebody did needs it.
        spoil: What somebody does.
        task: Whether the call starts a task.
        times: How often the request is sent in all.
        heals: Whether the loop does it, too.
        keep: Delete the release, keeping these objects; None does not delete.
    """

    name: str
    step: type[steps.Step]
    id: str
    call: str
    sends: str
    declared: str
    wanted: str | None = None
    spoil: Spoil = lambda _: None
    task: bool = True
    times: int = 1
    heals: bool = True
    keep: tuple[str, ...] | None = None

    def __str__(self) -> str:
        """Return the name, for the ids of tests."""
        return self.name

    @property
    def entry(self) -> str:
        """Return the pattern of its entry in the journal."""
        return f"{self.id}|{self.call}"

    @property
    def manifests(self) -> tuple[Manifest, ...]:
        """Return what is wanted in the end."""
        return load_text(self.wanted or self.declared)

    @property
    def beginning(self) -> tuple[Manifest, ...]:
        """Return what is declared in the beginning."""
        return load_text(self.declared)

    def sent(self, writes: Iterable[str]) -> list[str]:
        """Return those requests that are this step's."""
        return [name for name in writes if fnmatch.fnmatchcase(name, self.sends)]


def vmid_of(cluster: SimulatedCluster, name: str) -> int:
    """Return the vmid of the only guest of that name."""
    (found,) = [
        vmid
        for vmid, guest in cluster.guests.items()
        if name in (guest.config.get("name"), guest.config.get("hostname"))
    ]
    return found


def guest(name: str, more: str = "", config: str = "cores: 2, memory: 512") -> str:
    """Return the manifest of a clone."""
    return (
        f"apiVersion: pmpc/v1\nkind: VirtualMachine\nmetadata: {{name: {name}}}\nspec:\n"
        f"  source: {{clone: {{template: debian-13}}}}\n  config: {{{config}}}\n"
        + "".join(f"  {line}\n" for line in more.splitlines())
    )


def _other(kind: str, name: str, spec: str) -> str:
    lines = "".join(f"  {line}\n" for line in spec.splitlines())
    return f"apiVersion: pmpc/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{lines}"


def _task(cluster: SimulatedCluster, method: str, path: str, **params: object) -> None:
    upid = cluster.call(method, path, params)
    if isinstance(upid, str) and upid.startswith("UPID"):
        cluster.clock.advance(60)
        assert cluster.tasks.get(upid).exitstatus == "OK", cluster.tasks.get(upid).lines


def _guest_task(name: str, method: str, below: str, **params: object) -> Spoil:
    def spoil(cluster: SimulatedCluster) -> None:
        vmid = vmid_of(cluster, name)
        at = cluster.guests[vmid]
        _task(cluster, method, f"/nodes/{at.node}/{at.kind}/{vmid}{below}", **params)

    return spoil


def _edited(name: str, **options: object) -> Spoil:
    return lambda cluster: cluster.edit(vmid_of(cluster, name), user="bob@pam", **options)


def _called(method: str, path: str, **params: object) -> Spoil:
    return lambda cluster: _task(cluster, method, path, **params)


def _destroyed(name: str) -> Spoil:
    return _guest_task(name, "DELETE", "")


def _all(*spoils: Spoil) -> Spoil:
    def spoil(cluster: SimulatedCluster) -> None:
        for each in spoils:
            each(cluster)

    return spoil


def prepare(cluster: SimulatedCluster) -> None:
    """Give a cluster with template what the rows need besides."""
    cluster.downloads[IMAGE_URL] = IMAGE
    cluster.call("PUT", "/storage/local", {"content": "iso,vztmpl,backup,images,rootdir"})


def _making() -> Sequence[StepKind]:
    vm = "VirtualMachine/"
    return (
        StepKind(
            "new-vm", steps.CreateGuest, f"{vm}new-vm#create", "create", "POST /nodes/*/qemu",
            _other("VirtualMachine", "new-vm",
                   "config: {cores: 1, memory: 512, scsi0: {storage: shared, size: 4G}}"),
            spoil=_destroyed("new-vm"),
        ),
        StepKind(
            "new-ct", steps.CreateGuest, "Container/new-ct#create", "create", "POST /nodes/*/lxc",
            _other("Container", "new-ct",
                   f'source: {{template: "{_CT}"}}\n'
                   "config: {cores: 1, memory: 512, rootfs: {storage: local-lvm, size: 8G}}"),
            spoil=_destroyed("new-ct"),
        ),
        StepKind(
            "clone", steps.CloneGuest, f"{vm}clone#create", "clone", "POST /nodes/*/clone",
            guest("clone"), spoil=_destroyed("clone"),
        ),
        StepKind(
            "resize", steps.ResizeDisk, f"{vm}resize#resize-scsi0", "resize scsi0",
            "PUT /nodes/*/resize", guest("resize", config="cores: 2, scsi0: {size: 16G}"),
            spoil=_destroyed("resize"),
        ),
        StepKind(
            "pool-made", steps.CreatePool, "Pool/pool-made#create", "create", "POST /pools",
            _other("Pool", "pool-made", "comment: ours"), task=False,
            spoil=_called("DELETE", "/pools/pool-made"),
        ),
        StepKind(
            "storage-made", steps.CreateStorage, "Storage/storage-made#create", "create",
            "POST /storage",
            _other("Storage", "storage-made", "type: dir\nconfig: {path: /made, content: [iso]}"),
            task=False, spoil=_called("DELETE", "/storage/storage-made"),
        ),
        StepKind(
            "image", steps.FetchImage, "Image/image#pve1", "fetch",
            "POST /nodes/pve1/storage/local/download-url",
            _other("Image", "image",
                   f"storage: local\ncontent: iso\nurl: {IMAGE_URL}\nnodes: [pve1]\n"
                   f"checksum: {hashlib.sha256(IMAGE).hexdigest()}"),
            spoil=_called("DELETE", "/nodes/pve1/storage/local/content/local:iso/tiny.iso"),
        ),
    )  # fmt: skip


def _changing() -> Sequence[StepKind]:
    vm = "VirtualMachine/"
    return (
        StepKind(
            "options", steps.Configure, f"{vm}options#configure", "write options",
            "PUT /nodes/*/config", guest("options"), task=False, spoil=_edited("options", cores=4),
        ),
        StepKind(
            "ct-options", steps.Configure, "Container/ct-options#configure", "write options",
            "PUT /nodes/*/lxc/*/config",
            _other("Container", "ct-options",
                   f'source: {{template: "{_CT}"}}\n'
                   "config: {cores: 1, memory: 512, rootfs: {storage: local-lvm, size: 8G}}"),
            task=False, spoil=_edited("ct-options", memory=1024),
        ),
        StepKind(
            "move", steps.MoveDisk, f"{vm}move#move-scsi0", "move scsi0", "POST /nodes/*/move_disk",
            guest("move", config="cores: 2, scsi0: {storage: shared}"),
            spoil=_guest_task("move", "POST", "/move_disk", disk="scsi0", storage="local-lvm",
                              delete=1),
        ),
        StepKind(
            "migrate", steps.MigrateGuest, f"{vm}migrate#migrate", "migrate to pve1",
            "POST /nodes/*/migrate", guest("migrate", "placement: {nodes: [pve1]}"),
            spoil=_guest_task("migrate", "POST", "/migrate", target="pve2"),
        ),
        StepKind(
            "member", steps.SetPool, f"{vm}member#pool", "join pool club", "PUT /pools/club",
            _other("Pool", "club", "comment: c") + "---\n" + guest("member", "pool: club"),
            task=False,
            spoil=lambda cluster: cluster.call(
                "PUT", "/pools/club", {"vms": vmid_of(cluster, "member"), "delete": 1}),
        ),
        StepKind(
            "start", steps.StartGuest, f"{vm}start#start", "start", "POST /nodes/*/status/start",
            guest("start", "state: running"), spoil=_guest_task("start", "POST", "/status/stop"),
        ),
        StepKind(
            "shutdown", steps.ShutdownGuest, f"{vm}shutdown#shutdown", "shutdown",
            "POST /nodes/*/status/shutdown", guest("shutdown", "state: stopped"),
            spoil=_guest_task("shutdown", "POST", "/status/start"),
        ),
        StepKind(
            "restart", steps.RestartGuest, f"{vm}restart#restart", "reboot",
            "POST /nodes/*/status/reboot",
            guest("restart", "state: running\nrestart: {policy: automatic}"),
            spoil=_all(_edited("restart", cores=4),
                       _guest_task("restart", "POST", "/status/reboot")),
        ),
        StepKind(
            "pool-edited", steps.Configure, "Pool/pool-edited#configure", "comment",
            "PUT /pools/pool-edited", _other("Pool", "pool-edited", "comment: ours"), task=False,
            spoil=_called("PUT", "/pools/pool-edited", comment="bob's words"),
        ),
        StepKind(
            "members", steps.Configure, "Pool/members#configure", "add members",
            "PUT /pools/members",
            _other("Pool", "members", "comment: c\nstorage: [shared]\n"), task=False,
            spoil=_called("PUT", "/pools/members", storage="shared", delete=1),
        ),
        StepKind(
            "storage-edited", steps.Configure, "Storage/storage-edited#configure", "write options",
            "PUT /storage/storage-edited",
            _other("Storage", "storage-edited",
                   "type: dir\nconfig: {path: /edited, content: [iso]}"),
            task=False, spoil=_called("PUT", "/storage/storage-edited", content="iso,backup"),
        ),
        StepKind(
            "image-less", steps.FetchImage, "Image/image-less#pve3", "remove",
            "DELETE /nodes/pve3/storage/local/content/*",
            _IMAGE_LESS, _IMAGE_LESS.replace("pve2, pve3", "pve2"), heals=False,
        ),
    )  # fmt: skip


_IMAGE_LESS = _other(
    "Image", "image-less",
    f"storage: local\ncontent: iso\nurl: {IMAGE_URL}\nfilename: less.iso\nnodes: [pve2, pve3]",
)  # fmt: skip


def _settings() -> Sequence[StepKind]:
    return (
        StepKind(
            "firewall", steps.Configure, "Firewall/firewall#configure", "1/*",
            "POST /cluster/firewall/rules",
            _other("Firewall", "firewall",
                   "aliases: {office: 192.0.2.0/24}\nrules:\n"
                   '- {type: in, action: ACCEPT, proto: tcp, dport: "22"}\n'
                   '- {type: in, action: ACCEPT, proto: tcp, dport: "8006"}'),
            task=False,
            spoil=_called("DELETE", "/cluster/firewall/rules/1"),
        ),
        StepKind(
            "sdn-staged", steps.Configure, "Sdn/sdn#configure", "*web*", "PUT /cluster/sdn",
            _SDN, task=False,
            spoil=_all(_called("PUT", "/cluster/sdn/vnets/web", tag=99, zone="lab"),
                       _called("PUT", "/cluster/sdn")),
        ),
        StepKind(
            "sdn-applied", steps.Configure, "Sdn/sdn#configure", "apply", "PUT /cluster/sdn", _SDN,
            spoil=_all(_called("PUT", "/cluster/sdn/vnets/web", tag=99, zone="lab"),
                       _called("PUT", "/cluster/sdn")),
        ),
        StepKind(
            "sdn-locked", steps.Configure, "Sdn/sdn#configure", "lock", "PUT /cluster/sdn", _SDN,
            task=False,
            spoil=_all(_called("PUT", "/cluster/sdn/vnets/web", tag=99, zone="lab"),
                       _called("PUT", "/cluster/sdn")),
        ),
        StepKind(
            "net-staged", steps.ReloadNetwork, "NodeNetwork/net#configure", "*vmbr7*",
            f"PUT {_NETWORK}", _NET, task=False,
            spoil=_all(_called("DELETE", f"{_NETWORK}/vmbr7"), _called("PUT", _NETWORK)),
        ),
        StepKind(
            "net-reloaded", steps.ReloadNetwork, "NodeNetwork/net#configure", "reload",
            f"PUT {_NETWORK}", _NET,
            spoil=_all(_called("DELETE", f"{_NETWORK}/vmbr7"), _called("PUT", _NETWORK)),
        ),
    )  # fmt: skip


_SDN = _other(
    "Sdn", "sdn",
    "zones:\n  lab: {type: vlan, bridge: vmbr0}\nvnets:\n  web: {zone: lab, tag: 20}",
)  # fmt: skip
_NET = _other(
    "NodeNetwork", "net",
    "node: pve1\ninterfaces:\n"
    "  vmbr7: {type: bridge, autostart: on}\n  vmbr8: {type: bridge, autostart: on}",
)  # fmt: skip


def _keeping() -> Sequence[StepKind]:
    vm = "VirtualMachine/"
    return (
        StepKind(
            "snapshot", steps.SnapshotGuest, f"{vm}snapshot#before-1", "snapshot",
            "POST /nodes/*/snapshot",
            guest("snapshot", "hooks: {preApply: [{snapshot: {}}]}").replace(
                "debian-13}", "debian-13, storage: local-lvm}"),
            spoil=_edited("snapshot", cores=4),
        ),
        StepKind(
            "backup", steps.BackupGuest, f"{vm}backup#after-1", "backup on pve1",
            "POST /nodes/*/vzdump",
            guest("backup", "hooks: {postApply: [{backup: {storage: local}}]}"),
            spoil=_edited("backup", cores=4),
        ),
        StepKind(
            "hook-start", steps.StartByHook, f"{vm}hook-start#after-1", "start",
            "POST /nodes/*/status/start",
            guest("hook-start", "hooks: {postApply: [{start: {}}]}"),
            spoil=_all(_edited("hook-start", cores=4),
                       _guest_task("hook-start", "POST", "/status/stop")),
        ),
        StepKind(
            "hook-shutdown", steps.ShutdownByHook, f"{vm}hook-shutdown#before-1", "shutdown",
            "POST /nodes/*/status/shutdown",
            guest("hook-shutdown", "hooks: {preApply: [{shutdown: {}}]}"),
            spoil=_all(_edited("hook-shutdown", cores=4),
                       _guest_task("hook-shutdown", "POST", "/status/start")),
        ),
        StepKind(
            "delete-vm", steps.DeleteGuest, f"{vm}delete-vm#delete", "delete",
            "DELETE /nodes/*/qemu/*", guest("delete-vm"), heals=False, keep=(),
        ),
        StepKind(
            "stop-vm", steps.DeleteGuest, f"{vm}stop-vm#delete", "stop",
            "POST /nodes/*/status/stop", guest("stop-vm", "state: running"), heals=False, keep=(),
        ),
        StepKind(
            "delete-ct", steps.DeleteGuest, "Container/delete-ct#delete", "delete",
            "DELETE /nodes/*/lxc/*",
            _other("Container", "delete-ct",
                   f'source: {{template: "{_CT}"}}\n'
                   "config: {cores: 1, memory: 512, rootfs: {storage: local-lvm, size: 8G}}"),
            heals=False, keep=(),
        ),
        StepKind(
            "delete-pool", steps.DeletePool, "Pool/delete-pool#delete", "delete",
            "DELETE /pools/delete-pool", _other("Pool", "delete-pool", "comment: c"), task=False,
            heals=False, keep=(),
        ),
        StepKind(
            "delete-storage", steps.DeleteStorage, "Storage/delete-storage#delete", "delete",
            "DELETE /storage/delete-storage",
            _other("Storage", "delete-storage",
                   "type: dir\nconfig: {path: /deleted, content: [iso]}"),
            task=False, heals=False, keep=(),
        ),
        StepKind(
            "forget", steps.ForgetObject, f"{vm}forget#forget", "forget", "PUT /nodes/*/config",
            guest("forget"), task=False, heals=False, keep=("*",),
        ),
        StepKind(
            "drop-backups", steps.DropBackups, f"{vm}drop-backups#after-delete-1", "drop *",
            "DELETE /nodes/*/storage/local/content/*",
            guest("drop-backups",
                  "hooks: {postApply: [{backup: {storage: local}}], "
                  "preDelete: [{backup: {storage: local}}], "
                  "postDelete: [{dropBackups: {storage: local, keep: 1}}]}"),
            heals=False, keep=(),
        ),
    )  # fmt: skip


ELSEWHERE = {steps.WaitForGuest, steps.RunInGuest}
"""Steps without a call to die at, or whose call is never made again: see `test_release_hooks`."""

STEP_KINDS: Sequence[StepKind] = (*_making(), *_changing(), *_settings(), *_keeping())


def marks_of(cluster: SimulatedCluster, row: StepKind) -> tuple[str, ...]:
    """Return what tells requests about a row's guest from those about others; none for settings."""
    kind, _, name = row.id.partition("#")[0].partition("/")
    if kind not in ("VirtualMachine", "Container"):
        return ()
    vmid = vmid_of(cluster, name)
    return (f"/{vmid}/", f"-{vmid}-", f"newid={vmid}&", f"vmid={vmid}&", f"vms={vmid}&")
