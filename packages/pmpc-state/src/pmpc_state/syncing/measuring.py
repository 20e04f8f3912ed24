"""Taking over PVE's own statistics before PVE thins them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, Literal

from pmpc_state.discovery.look import Asking, is_hopeless
from pmpc_state.metrics import statistics_samples, tier_of
from pmpc_state.state import State
from pmpc_state.values.observed import Resource
from pmpc_state.values.samples import Sample, SampleRetention, Tier
from proxmox_client import PveError

if TYPE_CHECKING:
    from proxmox_client import AsyncClient

Timeframe = Literal["hour", "day", "week", "month", "year"]
_KINDS: Final = ("node", "qemu", "lxc")
_AT_ONCE: Final = 100


async def measure(
    state: State,
    client: AsyncClient,
    cluster: str,
    *,
    timeframe: Timeframe = "hour",
    kinds: Iterable[str] = _KINDS,
    concurrency: int = 16,
    rate: float | None = None,
    retention: SampleRetention = SampleRetention(),  # noqa: B008  # a frozen value
) -> int:
    """Read PVE's statistics of the recorded nodes and running guests, and keep them as samples.

    One request for each. What has no statistics yet, or is not visible, is left out. Written in
    batches of a hundred resources; what is older than the retention keeps goes.

    Args:
        state: Where to record.
        client: How to reach the cluster.
        cluster: The name it is recorded under.
        timeframe: How far back: PVE answers in steps of a minute for an hour, coarser for more.
        kinds: Of which kinds: node, qemu, lxc.
        concurrency: How many requests may be on their way at once.
        rate: How many may be made in a second, evenly spread; None for no bound.
        retention: How long each tier is kept.

    Returns:
        How many samples were recorded.

    Raises:
        NotRecorded: The cluster is not recorded.
        proxmox_client.PveError: The cluster cannot be reached, or refuses the token.
    """
    writer, asking = state.writer(), Asking(asyncio.Semaphore(concurrency), rate)
    wanted = [
        one
        for kind in kinds
        for one in await asyncio.to_thread(writer.resources, cluster, kind)
        if one.known and one.status in ("running", "online")
    ]
    recorded = 0
    for start in range(0, len(wanted), _AT_ONCE):
        batch = wanted[start : start + _AT_ONCE]
        answers = await asyncio.gather(*(_rows(client, asking, one, timeframe) for one in batch))
        for tier, samples in _by_tier(state, batch, answers).items():
            recorded += await asyncio.to_thread(writer.samples.record, cluster, samples, tier)
    await asyncio.to_thread(writer.samples.expire, retention)
    return recorded


def _by_tier(
    state: State, resources: list[Resource], answers: list[list[dict[str, Any]]]
) -> dict[Tier, list[Sample]]:
    found: dict[Tier, list[Sample]] = {}
    now = state.clock()
    for one, rows in zip(resources, answers, strict=True):
        samples = statistics_samples(one.kind, one.key, rows, now)
        found.setdefault(tier_of(rows), []).extend(samples)
    return found


async def _rows(
    client: AsyncClient, asking: Asking, one: Resource, timeframe: Timeframe
) -> list[dict[str, Any]]:
    path = f"/nodes/{one.node}" + ("" if one.kind == "node" else f"/{one.kind}/{one.key}")
    try:
        answer = await asking.ask(
            client.request("GET", f"{path}/rrddata", {"timeframe": timeframe, "cf": "AVERAGE"})
        )
    except PveError as error:
        if is_hopeless(error):
            raise
        return []
    return [dict(row) for row in answer or () if row.get("time") is not None]
