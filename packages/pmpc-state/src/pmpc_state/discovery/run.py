"""One look at a cluster: at all of it, or at what may have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from pmpc_state.discovery.attention import Memory, attend
from pmpc_state.discovery.collections import Collection, look_at_collections
from pmpc_state.discovery.costs import CostWatch, read_as
from pmpc_state.discovery.granted import privileges_of, with_notes
from pmpc_state.discovery.guests import look_at_guests
from pmpc_state.discovery.hints import news_of
from pmpc_state.discovery.look import Asking, Listing, Look
from pmpc_state.discovery.nodes import look_at_nodes
from pmpc_state.discovery.pools import look_at_pools
from pmpc_state.discovery.storages import look_at_storages
from pmpc_state.discovery.tasks import look_at_tasks
from pmpc_state.discovery.volumes import look_at_volumes
from pmpc_state.freshness import Sweep
from pmpc_state.values.inventory import Cost, Inventory, Knowledge, Past, Section
from pmpc_state.values.report import EventSink, SectionRead, ignore

if TYPE_CHECKING:
    from proxmox_client import AsyncClient

_NOTHING: Knowledge = {}


async def discover(
    client: AsyncClient,
    cluster: str,
    *,
    started_at: datetime,
    recorded: Knowledge = _NOTHING,
    past: Past = Past(),  # noqa: B008  # a frozen value
    memory: Memory | None = None,
    sweep: Sweep = Sweep(),  # noqa: B008  # a frozen value
    on_event: EventSink = ignore,
    concurrency: int = 16,
    rate: float | None = None,
    collections: Iterable[Collection] = (),
    volumes: bool = True,
) -> Inventory:
    """Read everything the token may see, or what may have changed since the last look.

    Args:
        client: How to reach the cluster.
        cluster: Its name in the database.
        started_at: When the look began.
        recorded: What is believed to be there; what the lists leave out of it is asked for by
            name, because lists leave out silently.
        past: What is known of the tasks before.
        memory: What an incremental look builds on; None reads everything.
        sweep: How fresh an incremental look keeps everything.
        on_event: Hears of progress.
        concurrency: How many requests may be on their way at once.
        rate: How many may be made in a second, evenly spread; None for no bound.
        collections: What else to read: `COLLECTIONS` for everything PVE has settings for.
        volumes: Whether to read what the storages hold.

    Raises:
        proxmox_client.PveError: The cluster cannot be reached, or refuses the token.
    """
    asking = Asking(asyncio.Semaphore(concurrency), rate)
    with client.observing(CostWatch()) as watch:
        listing = await _list(client, asking)
        look = Look(client, asking, recorded, listing, on_event)
        wanted = tuple(collections)
        if memory is not None:
            hints = await read_as("task", look_at_tasks(look, cluster, past, briefly=True))
            news = news_of(hints, past)
            due = attend(listing, memory, news, wanted, sweep, started_at, volumes=volumes)
            look = attrs.evolve(look, due=due)
        sections = await _sections(look, wanted, volumes=volumes)
        if memory is None:
            sections = with_notes(sections, await privileges_of(look))
        # Tasks last: whatever had an effect on what was just read is in their lists by now.
        briefly = memory is not None
        tasks = await read_as("task", look_at_tasks(look, cluster, past, briefly=briefly))
    on_event(SectionRead("task", len(tasks.tasks), len(tasks.failures)))
    costs = watch.costs
    return Inventory(
        cluster,
        started_at,
        tuple(attrs.evolve(one, cost=costs.get(one.name, Cost())) for one in sections),
        attrs.evolve(tasks, cost=costs.get("task", Cost())),
        asking.requests,
    )


async def _list(client: AsyncClient, asking: Asking) -> Listing:
    nodes, resources = await asyncio.gather(
        asking.ask(client.nodes.get()), asking.ask(client.cluster.resources.get())
    )
    return Listing(
        nodes={one.node: one.to_dict() for one in nodes},
        resources=tuple(one.to_dict() for one in resources),
    )


async def _sections(
    look: Look, collections: tuple[Collection, ...], *, volumes: bool
) -> tuple[Section, ...]:
    node, qemu, lxc, storage, pool = await asyncio.gather(
        _told(look, "node", look_at_nodes(look)),
        _told(look, "qemu", look_at_guests(look, "qemu")),
        _told(look, "lxc", look_at_guests(look, "lxc")),
        _told(look, "storage", look_at_storages(look)),
        _told(look, "pool", look_at_pools(look)),
    )
    found = [node, qemu, lxc, storage]
    if volumes:
        found.append(await _told(look, "content", look_at_volumes(look, storage)))
    gone = [f"{section.name}/{key}" for section in (qemu, lxc) for key in section.gone]
    others = await look_at_collections(look, collections, gone)
    for section in others:
        look.on_event(SectionRead(section.name, len(section.items), len(section.failures)))
    return (*found, pool, *others)


async def _told(look: Look, name: str, work: Awaitable[Section]) -> Section:
    section = await read_as(name, work)
    look.on_event(SectionRead(section.name, len(section.items), len(section.failures)))
    return section
