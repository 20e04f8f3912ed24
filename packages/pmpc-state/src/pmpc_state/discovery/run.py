"""One look at a whole cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from pmpc_state.discovery.collections import Collection, look_at_collections
from pmpc_state.discovery.guests import look_at_guests
from pmpc_state.discovery.look import Listing, Look
from pmpc_state.discovery.nodes import look_at_nodes
from pmpc_state.discovery.pools import look_at_pools
from pmpc_state.discovery.storages import look_at_storages
from pmpc_state.discovery.tasks import look_at_tasks
from pmpc_state.discovery.volumes import look_at_volumes
from pmpc_state.values.inventory import Inventory, Section
from pmpc_state.values.report import EventSink, SectionRead, ignore

if TYPE_CHECKING:
    from proxmox_client import AsyncClient

_NOTHING: Mapping[str, Mapping[str, str | None]] = {}


async def discover(
    client: AsyncClient,
    cluster: str,
    *,
    started_at: datetime,
    recorded: Mapping[str, Mapping[str, str | None]] = _NOTHING,
    tasks_since: datetime | None = None,
    on_event: EventSink = ignore,
    concurrency: int = 16,
    collections: Iterable[Collection] = (),
) -> Inventory:
    """Read everything the token may see.

    Args:
        client: How to reach the cluster.
        cluster: Its name in the database.
        started_at: When the look began.
        recorded: Kind to key to last known node, of what is believed to be there; what the lists
            leave out of it is asked for by name, because lists leave out silently.
        tasks_since: From when on tasks are of interest; None for the newest.
        on_event: Hears of progress.
        concurrency: How many requests may be on their way at once.
        collections: What else to read: `COLLECTIONS` for everything PVE has settings for.

    Raises:
        proxmox_client.PveError: The cluster cannot be reached, or refuses the token.
    """
    nodes, resources = await asyncio.gather(client.nodes.get(), client.cluster.resources.get())
    listing = Listing(
        nodes={one.node: one.to_dict() for one in nodes},
        resources=tuple(one.to_dict() for one in resources),
    )
    look = Look(client, asyncio.Semaphore(concurrency), recorded, listing, on_event)
    node, qemu, lxc, storage, pool = await asyncio.gather(
        _told(look, look_at_nodes(look)),
        _told(look, look_at_guests(look, "qemu")),
        _told(look, look_at_guests(look, "lxc")),
        _told(look, look_at_storages(look)),
        _told(look, look_at_pools(look)),
    )
    content = await _told(look, look_at_volumes(look, storage))
    others = await look_at_collections(look, collections)
    for section in others:
        on_event(SectionRead(section.name, len(section.items), len(section.failures)))
    # Tasks last: whatever had an effect on what was just read is in their lists by now.
    tasks = await look_at_tasks(look, cluster, tasks_since)
    on_event(SectionRead("task", len(tasks.tasks), len(tasks.failures)))
    return Inventory(cluster, started_at, (node, qemu, lxc, storage, content, pool, *others), tasks)


async def _told(look: Look, reading: Awaitable[Section]) -> Section:
    section = await reading
    look.on_event(SectionRead(section.name, len(section.items), len(section.failures)))
    return section
