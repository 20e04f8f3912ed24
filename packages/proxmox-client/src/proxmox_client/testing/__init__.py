"""A simulated Proxmox VE cluster to test against, in process or over HTTPS.

Here belong the simulated servers: state, rules, answers, and the ways in. Here does not belong
anything a client of a real server needs.

    >>> from proxmox_client.testing import SimRequest, SimulatedCluster
    >>> cluster = SimulatedCluster(nodes=("pve1", "pve2"))
    >>> secret = cluster.create_token("root@pam", "demo")
    >>> headers = {"authorization": f"PVEAPIToken={secret}"}
    >>> cluster.handle(SimRequest("GET", "/version", headers=headers)).data["release"]
    '9.2'
"""

from __future__ import annotations

from proxmox_client.testing.clock import VirtualClock
from proxmox_client.testing.cluster import SimulatedCluster
from proxmox_client.testing.request import Call, PveFault, Reply, SimRequest, SimResponse
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskFailed, TaskInterrupted, TaskRecord

__all__ = [
    "Call",
    "PveFault",
    "Reply",
    "SimRequest",
    "SimResponse",
    "SimulatedCluster",
    "TaskFailed",
    "TaskInterrupted",
    "TaskRecord",
    "VirtualClock",
    "handles",
]
