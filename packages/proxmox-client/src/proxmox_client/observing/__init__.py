"""Watching what a client does: a structured log, counters, spans, or whatever somebody plugs in.

Belongs here: the events of a request, who gets them, and watchers of general use. Does not belong
here: deciding anything: a watcher sees what happens and cannot change it.

No event holds a secret, and none holds values of a query or a body: they name the operation, the
path's template, the node and the server, and count bytes.

    >>> from proxmox_client import Client
    >>> from proxmox_client.observing import Traffic
    >>> from proxmox_client.testing import SimulatedCluster
    >>> cluster = SimulatedCluster()
    >>> pve = Client("pve1", token=cluster.create_token("root@pam", "x"),
    ...              transport=cluster.transport())
    >>> with pve.observing(Traffic()) as traffic:
    ...     _ = pve.request("GET", "/nodes")
    >>> traffic.requests
    1
"""

from __future__ import annotations

from proxmox_client.observing.events import Finished, Observer, RetryPlanned, Sending
from proxmox_client.observing.requestlog import LOGGER
from proxmox_client.observing.spans import SpanObserver
from proxmox_client.observing.traffic import Traffic
from proxmox_client.observing.watch import Watch

__all__ = [
    "LOGGER",
    "Finished",
    "Observer",
    "RetryPlanned",
    "Sending",
    "SpanObserver",
    "Traffic",
    "Watch",
]
