"""What high availability keeps: services, rules, commands, who is master and who was seen when."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import attrs

from proxmox_client.testing.digest import digest_of

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster


NO_GROUPS = "ha groups have been migrated to rules"


@attrs.define
class Command:
    """A request that waits for the manager's next round."""

    kind: str
    target: str = ""
    timeout: float | None = None


@attrs.define
class Service:
    """A guest under high availability.

    Attributes:
        sid: ``vm:100`` or ``ct:200``.
        options: What its section of the file says; ``state`` is the requested state.
        uid: Names the manager's last decision.
        decided_at: When that was made.
        reported_at: When its node's worker last said that there is nothing left to do.
        crm_state: What the manager decided; None while the service is queued.
        node: Where the manager thinks it is.
        target: Where it is moving to.
        confirmed: Whether its worker reported that it runs.
        moved: How a move ended, once it did.
        failures: Starts that failed in a row.
        relocations: How often it was moved because it did not start.
        busy: Whether a task works on it.
        stop_timeout: Seconds the guest gets to shut down; 0: it is stopped at once.
        command: A request not yet looked at.
    """

    sid: str
    options: dict[str, Any]
    uid: str = ""
    decided_at: float = 0.0
    reported_at: float = 0.0
    crm_state: str | None = None
    node: str = ""
    target: str = ""
    confirmed: bool = False
    moved: bool | None = None
    failures: int = 0
    relocations: int = 0
    busy: bool = False
    stop_timeout: float | None = None
    command: Command | None = None

    @property
    def kind(self) -> str:
        """Kind of the guest: ``qemu`` or ``lxc``."""
        return "qemu" if self.sid.startswith("vm:") else "lxc"

    @property
    def vmid(self) -> int:
        """Id of the guest."""
        return int(self.sid.partition(":")[2])

    @property
    def gave_up(self) -> bool:
        """Whether its worker does not try to start it any more."""
        return self.failures > int(self.options.get("max_restart", 1))

    @property
    def is_confirmed(self) -> bool:
        """Whether the worker has done what the manager decided last, and said so."""
        return not self.busy and self.reported_at > self.decided_at

    @property
    def requested(self) -> str:
        """The state that is asked for; ``enabled`` is the old word for ``started``."""
        state: str = self.options.get("state", "started")
        return "started" if state == "enabled" else state

    @property
    def shown(self) -> str:
        """The state as /cluster/ha/status/current shows it."""
        if self.requested == "ignored":
            return "ignored"
        if self.crm_state is None:
            return "queued"
        waits_for_start = self.crm_state == "stopped" and self.requested == "started"
        if waits_for_start or (self.crm_state == "started" and not self.confirmed):
            return "starting"
        if self.crm_state == "stopped" and self.requested == "disabled":
            return "disabled"
        if self.crm_state == "error" and self.requested == "disabled":
            return "clearing error flag"
        return self.crm_state


@attrs.define
class HaState:
    """All of it.

    Attributes:
        services: Services by sid.
        leaving: Services that were removed, until the manager's next round.
        rules: Rules by name as they stand in the file.
        master: Node of the active manager; empty before the first service.
        round_at: When the manager last had a round.
        node_status: What the manager thinks of each node.
        last_online: When it last saw each node online.
        worker_at: When each node's worker last had a round.
        active_since: When each worker that holds its lock last had services.
        locked_at: When each worker last renewed its lock.
        manager_phase: Where in the ten seconds the manager's rounds lie.
        worker_phases: The same for workers; those of other nodes come 3.4 s after the manager's.
        groups: Groups by name (PVE 8; later versions have rules).
        orders: Requests to disarm (``freeze``, ``ignore``) or to ``arm``, not yet looked at.
        disarm_mode: How services are treated while disarmed; empty while armed.
        disarm_state: ``disarming`` or ``disarmed``.
        disarmed_workers: Nodes whose worker has let go of its watchdog.
        scheduled: Nodes whose worker's next round is scheduled.
        ticking: Whether rounds are scheduled.
    """

    services: dict[str, Service] = attrs.field(factory=dict[str, Service])
    leaving: dict[str, Service] = attrs.field(factory=dict[str, Service])
    rules: dict[str, dict[str, Any]] = attrs.field(factory=dict[str, dict[str, Any]])
    master: str = ""
    round_at: float = 0.0
    node_status: dict[str, str] = attrs.field(factory=dict[str, str])
    last_online: dict[str, float] = attrs.field(factory=dict[str, float])
    worker_at: dict[str, float] = attrs.field(factory=dict[str, float])
    active_since: dict[str, float] = attrs.field(factory=dict[str, float])
    locked_at: dict[str, float] = attrs.field(factory=dict[str, float])
    manager_phase: float = 6.0
    worker_phases: dict[str, float] = attrs.field(factory=dict[str, float])
    groups: dict[str, dict[str, Any]] = attrs.field(factory=dict[str, dict[str, Any]])
    orders: list[str] = attrs.field(factory=list[str])
    disarm_mode: str = ""
    disarm_state: str = ""
    disarmed_workers: set[str] = attrs.field(factory=set[str])
    scheduled: set[str] = attrs.field(factory=set[str])
    ticking: bool = False

    def worker_phase(self, name: str) -> float:
        """Return where in the ten seconds the rounds of a node's worker lie."""
        return self.worker_phases.get(name, self.manager_phase + 3.4)

    def resources_digest(self) -> str:
        """Return the digest of the resources' file."""
        rows = {sid: service.options for sid, service in self.services.items()}
        return digest_of(json.dumps(rows, sort_keys=True) if rows else "")

    def groups_digest(self) -> str:
        """Return the digest of the groups' file."""
        return digest_of(json.dumps(self.groups, sort_keys=True) if self.groups else "")

    def rules_digest(self) -> str:
        """Return the digest of the rules' file."""
        return digest_of(json.dumps(self.rules, sort_keys=True) if self.rules else "")


def ha(cluster: SimulatedCluster) -> HaState:
    """Return the cluster's high availability."""
    state: HaState | None = cluster.files.get("ha")
    if state is None:
        state = cluster.files["ha"] = HaState()
    return state


def service_of(cluster: SimulatedCluster, vmid: int) -> Service | None:
    """Return the service of a guest, if it has one."""
    services = ha(cluster).services
    return services.get(f"vm:{vmid}") or services.get(f"ct:{vmid}")


def shown_state(cluster: SimulatedCluster, vmid: int) -> str | None:
    """Return what /cluster/resources says of a guest's service; None if it has none."""
    state = ha(cluster)
    for sid in (f"vm:{vmid}", f"ct:{vmid}"):
        service = state.services.get(sid) or state.leaving.get(sid)
        if service is not None:
            return service.crm_state or service.requested
    return None


def forget(state: HaState, sid: str) -> None:
    """Take a service out of the file; the manager knows it until its next round."""
    service = state.services.pop(sid)
    if service.crm_state is not None:
        state.leaving[sid] = service


def figures(cluster: SimulatedCluster, vmid: int) -> dict[str, Any]:
    """Return what a guest's status says under ``ha``."""
    service = service_of(cluster, vmid)
    return {"managed": 0} if service is None else {"managed": 1, "state": service.crm_state}
