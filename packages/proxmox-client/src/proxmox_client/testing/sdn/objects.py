"""Reading, creating, changing and removing objects: the same for all sections."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.permissions import require
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.sdn.state import Objects, SdnState, pending_view, sdn

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Check = Callable[[SdnState, str, dict[str, Any], str], None]
_SEE = ("SDN.Audit", "SDN.Allocate")
_NOT_FIELDS = frozenset(("lock-token", "digest", "delete", "pending", "running"))


def no_check(state: SdnState, name: str, entry: dict[str, Any], prefix: str) -> None:
    """Accept everything the schema accepts."""


@attrs.frozen
class Section:
    """One kind of object.

    Attributes:
        name: Its section of the configuration.
        key: Parameter that holds the id.
        noun: What PVE calls one in its messages.
        absent: What PVE says about one that is not there, with its id for ``%s``.
        check: Refuses a bad one.
    """

    name: str
    key: str
    noun: str
    absent: str = "sdn '%s' does not exist"
    check: Check = no_check

    def rows(self, cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
        """List the objects the caller may see: staged, running or with what is pending."""
        objects, digest = self.view(sdn(cluster), call)
        return [
            self.row(name, entry, digest)
            for name, entry in objects.items()
            if call.get("type") in (None, entry.get("type"))
            and cluster.access.allows(call.identity, self.path(name, entry), _SEE, any_of=True)
        ]

    def read(self, cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
        """Return one object."""
        state = sdn(cluster)
        objects, digest = self.view(state, call)
        name = call[self.key]
        if name not in objects:
            raise PveFault(500, self.absent.replace("%s", name))
        require(cluster.access, call.identity, self.path(name, objects[name]), _SEE, any_of=True)
        return self.row(name, objects[name], digest)

    def create(
        self, cluster: SimulatedCluster, call: Call, name: str, entry: dict[str, Any]
    ) -> None:
        """Stage a new object."""
        state, prefix = sdn(cluster), f"create sdn {self.noun} object failed"
        state.check_token(call.get("lock-token"), prefix)
        if name in state.staged[self.name]:
            raise PveFault(500, f"{prefix}: sdn {self.noun} object ID '{name}' already defined")
        self.check(state, name, entry, prefix)
        state.staged[self.name][name] = entry

    def update(
        self, cluster: SimulatedCluster, call: Call, name: str, changes: dict[str, Any]
    ) -> None:
        """Stage a change."""
        state, prefix = sdn(cluster), f"update sdn {self.noun} object failed"
        state.check_token(call.get("lock-token"), prefix)
        check_digest(call.get("digest"), state.digest(self.name), prefix=f"{prefix}: ")
        entry = state.staged[self.name].get(name)
        if entry is None:
            raise PveFault(500, f"{prefix}: {self.absent.replace('%s', name)}")
        merged = {**entry, **changes}
        for key in split_list(call.get("delete", "")):
            merged.pop(key, None)
        self.check(state, name, merged, prefix)
        state.staged[self.name][name] = merged

    def delete(
        self,
        cluster: SimulatedCluster,
        call: Call,
        name: str,
        in_use: Callable[[SdnState], str | None],
    ) -> None:
        """Stage a removal, unless something still uses the object."""
        state, prefix = sdn(cluster), f"delete sdn {self.noun} object failed"
        state.check_token(call.get("lock-token"), prefix)
        if name not in state.staged[self.name]:
            raise PveFault(500, f"{prefix}: {self.absent.replace('%s', name)}")
        if text := in_use(state):
            raise PveFault(500, f"{prefix}: {text}")
        del state.staged[self.name][name]

    def fields(self, call: Call) -> dict[str, Any]:
        """Pick an object's own fields from the parameters."""
        return {
            name: value
            for name, value in call.params.items()
            if name not in _NOT_FIELDS and name != self.key
        }

    def view(self, state: SdnState, call: Call) -> tuple[Objects, str | None]:
        """Return the objects a call asks for, and their digest."""
        staged = state.staged[self.name]
        if call.get("pending"):
            return pending_view(self.name, staged, state.running[self.name]), None
        if call.get("running"):
            return state.running[self.name], None
        return staged, state.digest(self.name)

    def row(self, name: str, entry: dict[str, Any], digest: str | None) -> dict[str, Any]:
        """Show an object."""
        return {**entry, self.key: name, "digest": digest}

    def path(self, name: str, entry: dict[str, Any]) -> str:
        """Path of its access control."""
        if self.name == "vnets":
            zone = entry.get("zone") or entry.get("pending", {}).get("zone", "")
            return f"/sdn/zones/{zone}/{name}"
        return f"/sdn/{self.name}/{name}"
