"""What a row about a kind of step says, and what somebody can do so that the step is needed."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable

import attrs

from pmpc_reconcile.manifests import Manifest, load_text
from pmpc_reconcile.plans import steps
from proxmox_client.testing import SimulatedCluster

IMAGE_URL = "https://images.example.org/tiny.iso"
IMAGE = b"an image" * 1000
CT_IMAGE = "local:vztmpl/debian-13-standard.tar.zst"
NETWORK = "/nodes/pve1/network"

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


def other(kind: str, name: str, spec: str) -> str:
    lines = "".join(f"  {line}\n" for line in spec.splitlines())
    return f"apiVersion: pmpc/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{lines}"


def task(cluster: SimulatedCluster, method: str, path: str, **params: object) -> None:
    upid = cluster.call(method, path, params)
    if isinstance(upid, str) and upid.startswith("UPID"):
        cluster.clock.advance(60)
        assert cluster.tasks.get(upid).exitstatus == "OK", cluster.tasks.get(upid).lines


def guest_task(name: str, method: str, below: str, **params: object) -> Spoil:
    def spoil(cluster: SimulatedCluster) -> None:
        vmid = vmid_of(cluster, name)
        at = cluster.guests[vmid]
        task(cluster, method, f"/nodes/{at.node}/{at.kind}/{vmid}{below}", **params)

    return spoil


def edited(name: str, **options: object) -> Spoil:
    return lambda cluster: cluster.edit(vmid_of(cluster, name), user="bob@pam", **options)


def called(method: str, path: str, **params: object) -> Spoil:
    return lambda cluster: task(cluster, method, path, **params)


def destroyed(name: str) -> Spoil:
    return guest_task(name, "DELETE", "")


def in_turn(*spoils: Spoil) -> Spoil:
    def spoil(cluster: SimulatedCluster) -> None:
        for each in spoils:
            each(cluster)

    return spoil


def prepare(cluster: SimulatedCluster) -> None:
    """Give a cluster with template what the rows need besides."""
    cluster.downloads[IMAGE_URL] = IMAGE
    cluster.call("PUT", "/storage/local", {"content": "iso,vztmpl,backup,images,rootdir"})


def marks_of(cluster: SimulatedCluster, row: StepKind) -> tuple[str, ...]:
    """Return what tells requests about a row's guest from those about others; none for settings."""
    kind, _, name = row.id.partition("#")[0].partition("/")
    if kind not in ("VirtualMachine", "Container"):
        return ()
    vmid = vmid_of(cluster, name)
    return (f"/{vmid}/", f"-{vmid}-", f"newid={vmid}&", f"vmid={vmid}&", f"vms={vmid}&")
