"""Where a guest is at the moment."""

from __future__ import annotations

from typing import Literal

import attrs


@attrs.frozen
class GuestPlace:
    """A guest as `/cluster/resources` shows it.

    Attributes:
        vmid: Its number.
        kind: `qemu` or `lxc`.
        node: The node it is on; live, unlike name and status, which are up to ten seconds old.
        name: Its name; empty while the cluster does not know it yet.
        lock: What it is locked by, such as `migrate`; empty where it is not.
        managed: True where the HA manager looks after it.
    """

    vmid: int
    kind: Literal["qemu", "lxc"]
    node: str
    name: str = ""
    lock: str = ""
    managed: bool = False

    @property
    def path(self) -> str:
        """Its path: `/nodes/pve1/qemu/100`."""
        return f"/nodes/{self.node}/{self.kind}/{self.vmid}"
