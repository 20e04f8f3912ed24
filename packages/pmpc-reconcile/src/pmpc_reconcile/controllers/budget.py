"""A disruption budget: so many objects may be interrupted at once, over all workers.

Each place in the budget is a lease, so a place a dead worker held comes back by itself, and
workers on several machines count together.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from pmpc_reconcile.records import Records
from pmpc_state import Lease, LeaseHeld, LeaseLost, this_process


@asynccontextmanager
async def disruption(records: Records, places: int, seconds: float) -> AsyncGenerator[bool, None]:
    """Hold one place of a cluster's disruption budget; gives False if all are taken.

    Args:
        records: The cluster's records.
        places: How many objects may be interrupted at once.
        seconds: How long a place stays taken after its holder died.
    """
    held = await _take(records, places, seconds)
    if held is None:
        yield False
        return
    renewing = asyncio.create_task(_renew(records, held, seconds))
    try:
        yield True
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        await records.run(lambda: records.state.writer().leases.release(held))


async def _take(records: Records, places: int, seconds: float) -> Lease | None:
    for number in range(places):
        name = f"disruption/{records.cluster}/{number}"

        def take(name: str = name) -> Lease:
            writer = records.state.writer()
            return writer.leases.acquire(name, holder=this_process(), seconds=seconds)

        with suppress(LeaseHeld):
            return await records.run(take)
    return None


async def _renew(records: Records, held: Lease, seconds: float) -> None:
    # Losing the place changes nothing for a step that has begun: it is only counted twice then.
    with suppress(LeaseLost):
        while True:
            await asyncio.sleep(seconds / 3)
            await records.run(lambda: records.state.writer().leases.renew(held, seconds=seconds))
