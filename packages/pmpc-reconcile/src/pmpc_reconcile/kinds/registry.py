"""The kinds there are, by name."""

from __future__ import annotations

from pmpc_reconcile.kinds.container import CONTAINER
from pmpc_reconcile.kinds.definition import Kind
from pmpc_reconcile.kinds.firewall import FIREWALL
from pmpc_reconcile.kinds.image import IMAGE
from pmpc_reconcile.kinds.interfaces import NODE_NETWORK
from pmpc_reconcile.kinds.pool import POOL
from pmpc_reconcile.kinds.release import RELEASE
from pmpc_reconcile.kinds.sdn import SDN
from pmpc_reconcile.kinds.storage import STORAGE
from pmpc_reconcile.kinds.virtual_machine import VIRTUAL_MACHINE

_KINDS = {
    entry.name: entry
    for entry in (
        RELEASE,
        STORAGE,
        NODE_NETWORK,
        SDN,
        IMAGE,
        POOL,
        VIRTUAL_MACHINE,
        CONTAINER,
        FIREWALL,
    )
}


def kinds() -> tuple[Kind, ...]:
    """List the kinds in the order in which they are created."""
    return tuple(sorted(_KINDS.values(), key=lambda entry: entry.order))


def kind(name: str) -> Kind:
    """Find a kind by the name manifests use.

    Raises:
        KeyError: There is no such kind.
    """
    return _KINDS[name]
