"""Every kind of step the engine knows, how to come by it, and how it is seen to be done once.

A row declares something, says what somebody does to it, and names the step that puts it right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pmpc_reconcile.plans import steps
from tests.lab.step_kind import (
    CT_IMAGE,
    IMAGE,
    IMAGE_URL,
    NETWORK,
    called,
    destroyed,
    edited,
    guest,
    guest_task,
    in_turn,
    other,
)
from tests.lab.step_kind import StepKind as StepKind
from tests.lab.step_kind import marks_of as marks_of
from tests.lab.step_kind import prepare as prepare
from tests.lab.step_kind import vmid_of as vmid_of


def _making() -> Sequence[StepKind]:
    vm = "VirtualMachine/"
    return (
        StepKind(
            "new-vm", steps.CreateGuest, f"{vm}new-vm#create", "create", "POST /nodes/*/qemu",
            other("VirtualMachine", "new-vm",
                   "config: {cores: 1, memory: 512, scsi0: {storage: shared, size: 4G}}"),
            spoil=destroyed("new-vm"),
        ),
        StepKind(
            "new-ct", steps.CreateGuest, "Container/new-ct#create", "create", "POST /nodes/*/lxc",
            other("Container", "new-ct",
                   f'source: {{template: "{CT_IMAGE}"}}\n'
                   "config: {cores: 1, memory: 512, rootfs: {storage: local-lvm, size: 8G}}"),
            spoil=destroyed("new-ct"),
        ),
        StepKind(
            "clone", steps.CloneGuest, f"{vm}clone#create", "clone", "POST /nodes/*/clone",
            guest("clone"), spoil=destroyed("clone"),
        ),
        StepKind(
            "resize", steps.ResizeDisk, f"{vm}resize#resize-scsi0", "resize scsi0",
            "PUT /nodes/*/resize", guest("resize", config="cores: 2, scsi0: {size: 16G}"),
            spoil=destroyed("resize"),
        ),
        StepKind(
            "pool-made", steps.CreatePool, "Pool/pool-made#create", "create", "POST /pools",
            other("Pool", "pool-made", "comment: ours"), task=False,
            spoil=called("DELETE", "/pools/pool-made"),
        ),
        StepKind(
            "storage-made", steps.CreateStorage, "Storage/storage-made#create", "create",
            "POST /storage",
            other("Storage", "storage-made", "type: dir\nconfig: {path: /made, content: [iso]}"),
            task=False, spoil=called("DELETE", "/storage/storage-made"),
        ),
        StepKind(
            "image", steps.FetchImage, "Image/image#pve1", "fetch",
            "POST /nodes/pve1/storage/local/download-url",
            other("Image", "image",
                   f"storage: local\ncontent: iso\nurl: {IMAGE_URL}\nnodes: [pve1]\n"
                   f"checksum: {hashlib.sha256(IMAGE).hexdigest()}"),
            spoil=called("DELETE", "/nodes/pve1/storage/local/content/local:iso/tiny.iso"),
        ),
    )  # fmt: skip


def _changing() -> Sequence[StepKind]:
    vm = "VirtualMachine/"
    return (
        StepKind(
            "options", steps.Configure, f"{vm}options#configure", "write options",
            "PUT /nodes/*/config", guest("options"), task=False, spoil=edited("options", cores=4),
        ),
        StepKind(
            "ct-options", steps.Configure, "Container/ct-options#configure", "write options",
            "PUT /nodes/*/lxc/*/config",
            other("Container", "ct-options",
                   f'source: {{template: "{CT_IMAGE}"}}\n'
                   "config: {cores: 1, memory: 512, rootfs: {storage: local-lvm, size: 8G}}"),
            task=False, spoil=edited("ct-options", memory=1024),
        ),
        StepKind(
            "move", steps.MoveDisk, f"{vm}move#move-scsi0", "move scsi0", "POST /nodes/*/move_disk",
            guest("move", config="cores: 2, scsi0: {storage: shared}"),
            spoil=guest_task("move", "POST", "/move_disk", disk="scsi0", storage="local-lvm",
                              delete=1),
        ),
        StepKind(
            "cloud-init", steps.RegenerateCloudInit, f"{vm}cloud-init#cloud-init",
            "regenerate cloud-init", "PUT /nodes/*/cloudinit",
            guest("cloud-init", "state: running",
                  "memory: 512, ciuser: deb, ide2: {storage: local-lvm, cloudinit: on}"),
            task=False,
            spoil=in_turn(edited("cloud-init", ciuser="bob"),
                          guest_task("cloud-init", "PUT", "/cloudinit")),
        ),
        StepKind(
            "migrate", steps.MigrateGuest, f"{vm}migrate#migrate", "migrate to pve1",
            "POST /nodes/*/migrate", guest("migrate", "placement: {nodes: [pve1]}"),
            spoil=guest_task("migrate", "POST", "/migrate", target="pve2"),
        ),
        StepKind(
            "member", steps.SetPool, f"{vm}member#pool", "join pool club", "PUT /pools/club",
            other("Pool", "club", "comment: c") + "---\n" + guest("member", "pool: club"),
            task=False,
            spoil=lambda cluster: cluster.call(
                "PUT", "/pools/club", {"vms": vmid_of(cluster, "member"), "delete": 1}),
        ),
        StepKind(
            "start", steps.StartGuest, f"{vm}start#start", "start", "POST /nodes/*/status/start",
            guest("start", "state: running"), spoil=guest_task("start", "POST", "/status/stop"),
        ),
        StepKind(
            "shutdown", steps.ShutdownGuest, f"{vm}shutdown#shutdown", "shutdown",
            "POST /nodes/*/status/shutdown", guest("shutdown", "state: stopped"),
            spoil=guest_task("shutdown", "POST", "/status/start"),
        ),
        StepKind(
            "restart", steps.RestartGuest, f"{vm}restart#restart", "reboot",
            "POST /nodes/*/status/reboot",
            guest("restart", "state: running\nrestart: {policy: automatic}"),
            spoil=in_turn(edited("restart", cores=4),
                       guest_task("restart", "POST", "/status/reboot")),
        ),
        StepKind(
            "pool-edited", steps.Configure, "Pool/pool-edited#configure", "comment",
            "PUT /pools/pool-edited", other("Pool", "pool-edited", "comment: ours"), task=False,
            spoil=called("PUT", "/pools/pool-edited", comment="bob's words"),
        ),
        StepKind(
            "members", steps.Configure, "Pool/members#configure", "add members",
            "PUT /pools/members",
            other("Pool", "members", "comment: c\nstorage: [shared]\n"), task=False,
            spoil=called("PUT", "/pools/members", storage="shared", delete=1),
        ),
        StepKind(
            "storage-edited", steps.Configure, "Storage/storage-edited#configure", "write options",
            "PUT /storage/storage-edited",
            other("Storage", "storage-edited",
                   "type: dir\nconfig: {path: /edited, content: [iso]}"),
            task=False, spoil=called("PUT", "/storage/storage-edited", content="iso,backup"),
        ),
        StepKind(
            "image-less", steps.FetchImage, "Image/image-less#pve3", "remove",
            "DELETE /nodes/pve3/storage/local/content/*",
            _IMAGE_LESS, _IMAGE_LESS.replace("pve2, pve3", "pve2"), heals=False,
        ),
    )  # fmt: skip


_IMAGE_LESS = other(
    "Image", "image-less",
    f"storage: local\ncontent: iso\nurl: {IMAGE_URL}\nfilename: less.iso\nnodes: [pve2, pve3]",
)  # fmt: skip


def _settings() -> Sequence[StepKind]:
    return (
        StepKind(
            "firewall", steps.Configure, "Firewall/firewall#configure", "1/*",
            "POST /cluster/firewall/rules",
            other("Firewall", "firewall",
                   "aliases: {office: 192.0.2.0/24}\nrules:\n"
                   '- {type: in, action: ACCEPT, proto: tcp, dport: "22"}\n'
                   '- {type: in, action: ACCEPT, proto: tcp, dport: "8006"}'),
            task=False,
            spoil=called("DELETE", "/cluster/firewall/rules/1"),
        ),
        StepKind(
            "sdn-staged", steps.Configure, "Sdn/sdn#configure", "*web*", "PUT /cluster/sdn",
            _SDN, task=False,
            spoil=in_turn(called("PUT", "/cluster/sdn/vnets/web", tag=99, zone="lab"),
                       called("PUT", "/cluster/sdn")),
        ),
        StepKind(
            "sdn-applied", steps.Configure, "Sdn/sdn#configure", "apply", "PUT /cluster/sdn", _SDN,
            spoil=in_turn(called("PUT", "/cluster/sdn/vnets/web", tag=99, zone="lab"),
                       called("PUT", "/cluster/sdn")),
        ),
        StepKind(
            "sdn-locked", steps.Configure, "Sdn/sdn#configure", "lock", "PUT /cluster/sdn", _SDN,
            task=False,
            spoil=in_turn(called("PUT", "/cluster/sdn/vnets/web", tag=99, zone="lab"),
                       called("PUT", "/cluster/sdn")),
        ),
        StepKind(
            "net-staged", steps.ReloadNetwork, "NodeNetwork/net#configure", "*vmbr7*",
            f"PUT {NETWORK}", _NET, task=False,
            spoil=in_turn(called("DELETE", f"{NETWORK}/vmbr7"), called("PUT", NETWORK)),
        ),
        StepKind(
            "net-reloaded", steps.ReloadNetwork, "NodeNetwork/net#configure", "reload",
            f"PUT {NETWORK}", _NET,
            spoil=in_turn(called("DELETE", f"{NETWORK}/vmbr7"), called("PUT", NETWORK)),
        ),
    )  # fmt: skip


_SDN = other(
    "Sdn", "sdn",
    "zones:\n  lab: {type: vlan, bridge: vmbr0}\nvnets:\n  web: {zone: lab, tag: 20}",
)  # fmt: skip
_NET = other(
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
            spoil=edited("snapshot", cores=4),
        ),
        StepKind(
            "backup", steps.BackupGuest, f"{vm}backup#after-1", "backup on pve1",
            "POST /nodes/*/vzdump",
            guest("backup", "hooks: {postApply: [{backup: {storage: local}}]}"),
            spoil=edited("backup", cores=4),
        ),
        StepKind(
            "hook-start", steps.StartByHook, f"{vm}hook-start#after-1", "start",
            "POST /nodes/*/status/start",
            guest("hook-start", "hooks: {postApply: [{start: {}}]}"),
            spoil=in_turn(edited("hook-start", cores=4),
                       guest_task("hook-start", "POST", "/status/stop")),
        ),
        StepKind(
            "hook-shutdown", steps.ShutdownByHook, f"{vm}hook-shutdown#before-1", "shutdown",
            "POST /nodes/*/status/shutdown",
            guest("hook-shutdown", "hooks: {preApply: [{shutdown: {}}]}"),
            spoil=in_turn(edited("hook-shutdown", cores=4),
                       guest_task("hook-shutdown", "POST", "/status/start")),
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
            other("Container", "delete-ct",
                   f'source: {{template: "{CT_IMAGE}"}}\n'
                   "config: {cores: 1, memory: 512, rootfs: {storage: local-lvm, size: 8G}}"),
            heals=False, keep=(),
        ),
        StepKind(
            "delete-pool", steps.DeletePool, "Pool/delete-pool#delete", "delete",
            "DELETE /pools/delete-pool", other("Pool", "delete-pool", "comment: c"), task=False,
            heals=False, keep=(),
        ),
        StepKind(
            "delete-storage", steps.DeleteStorage, "Storage/delete-storage#delete", "delete",
            "DELETE /storage/delete-storage",
            other("Storage", "delete-storage",
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


ELSEWHERE = {steps.WaitForGuest, steps.RunInGuest, steps.Gate}
"""Steps without a call to die at, or whose call is never made again: see `test_hooks_cut_off`."""

STEP_KINDS: Sequence[StepKind] = (*_making(), *_changing(), *_settings(), *_keeping())
