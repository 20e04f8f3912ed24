"""Which object of the engine a recorded resource is, or is a part of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import attrs

from pmpc_reconcile.errors import InputInvalid, ObjectNotFound
from pmpc_reconcile.kinds import kinds
from pmpc_reconcile.plans.settings import RECORD_KINDS

if TYPE_CHECKING:
    from pmpc_state import Resource, StateReader

_GUESTS: Final[Mapping[str, str]] = {"VirtualMachine": "qemu", "Container": "lxc"}
_RECORDED: Final[Mapping[str, str]] = {**_GUESTS, **RECORD_KINDS, "Pool": "pool"}


@attrs.frozen
class Whole:
    """An object the engine manages as one.

    Attributes:
        kind: Its kind: `Firewall`.
        key: Under which a release records it: `100`, `tank`, `node/pve1`, `cluster`.
    """

    kind: str
    key: str

    @property
    def recorded_kind(self) -> str:
        """Return the word for its kind among what releases manage."""
        return _RECORDED[self.kind]

    @property
    def scope(self) -> str:
        """Return what stands before the slash of its key."""
        return self.key.partition("/")[0]

    @property
    def of(self) -> str:
        """Return what stands behind it."""
        return self.key.partition("/")[2]

    @property
    def address(self) -> str:
        """Return what to call it where no manifest names it yet."""
        usual = {"node": self.of, "guest": f"guest-{self.of}"}.get(self.scope, self.key)
        return f"{self.kind}/{usual}"


_Read = Callable[["Resource"], Whole]
_CLUSTER_FIREWALL: Final = Whole("Firewall", "cluster")
_SDN: Final = Whole("Sdn", "cluster")
_WHOLES: Final[Mapping[str, _Read]] = {
    "qemu": lambda one: Whole("VirtualMachine", one.key),
    "lxc": lambda one: Whole("Container", one.key),
    "storage": lambda one: Whole("Storage", one.key),
    "pool": lambda one: Whole("Pool", one.key),
    "content": lambda one: Whole("Image", str(one.config.get("volid", one.key))),
    "guest-firewall": lambda one: Whole("Firewall", f"guest/{one.key.partition('/')[2]}"),
    "node-network": lambda one: Whole("NodeNetwork", f"node/{one.key.partition('/')[0]}"),
    **{
        f"node-firewall-{part}": lambda one: Whole("Firewall", f"node/{one.key}")
        for part in ("options", "rules")
    },
    **{
        f"firewall-{part}": lambda _: _CLUSTER_FIREWALL
        for part in ("options", "rules", "ipset", "alias", "group")
    },
    **{f"sdn-{part}": lambda _: _SDN for part in ("zone", "vnet", "controller")},
}
"""The object of the engine that recorded resources are, or are a part of, by their kind."""


def whole_of(found: Resource) -> Whole:
    """Return the object a resource is, or is a part of.

    Raises:
        InputInvalid: The engine does not manage such objects.
    """
    read = _WHOLES.get(found.kind)
    if read is None:
        raise InputInvalid(
            f"cannot write a manifest of {found.address}: pmpc does not manage objects of kind "
            f"{found.kind} yet, only {', '.join(kind.name for kind in kinds())}; `pmpc get "
            f"{found.address} --at TIME -o yaml` shows how it was, to be set by hand"
        )
    return read(found)


def whole_named(reader: StateReader, cluster: str, text: str) -> Whole | None:
    """Return the object an address of manifests means; None if the text is none of these.

    Args:
        reader: The record.
        cluster: The cluster.
        text: An address a release uses, or `Firewall/cluster`, `Firewall/pve1`,
            `Firewall/guest-100`, `Sdn/cluster`, `NodeNetwork/pve1`.
    """
    word, slash, name = text.partition("/")
    kind = next((one.name for one in kinds() if one.name.lower() == word.lower()), None)
    if not slash or kind is None:
        return None
    for managed in reader.ownership.objects(cluster):
        if managed.address == f"{kind}/{name}":
            return Whole(kind, managed.key)
    if kind == "Sdn":
        return _SDN if name == "cluster" else None
    if kind == "NodeNetwork":
        return Whole(kind, f"node/{name}")
    if kind == "Firewall":
        return _firewall(name)
    return None


def _firewall(name: str) -> Whole:
    if name == "cluster":
        return _CLUSTER_FIREWALL
    guest = name.removeprefix("guest-")
    if guest.isdecimal():
        return Whole("Firewall", f"guest/{guest}")
    return Whole("Firewall", f"node/{name}")


def more_said(error: ObjectNotFound, text: str) -> ObjectNotFound:
    """Say how objects of a kind are called, if a kind is all that was given."""
    known = {
        "firewall": "Firewall/cluster, Firewall/NODE or Firewall/guest-VMID",
        "sdn": "Sdn/cluster",
        "nodenetwork": "NodeNetwork/NODE",
        "network": "NodeNetwork/NODE",
    }
    called = known.get(text.lower())
    return error if called is None else ObjectNotFound(f"{text!r} is a kind; name {called}")


def not_there(cluster: str, text: str) -> ObjectNotFound:
    """Say that nothing was recorded of an object."""
    return ObjectNotFound(
        f"nothing of {text} is recorded in cluster {cluster} as of then; `pmpc sync` reads it "
        "unless told to leave it out, and --at names a time after one"
    )
