"""After an apply: look at the cluster, so that the state knows what was done."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from pmpc_reconcile.actions.spec import ActionContext
from pmpc_reconcile.events import ignore_event

log = logging.getLogger(__name__)

MOST: Final = 200
"""Most requests beside the lists; whatever they leave is seen by the next sync."""


async def look_again(context: ActionContext) -> None:
    """Sync what an apply may have changed, unless the cluster was never synced.

    What was done is done: that it could not be looked at (somebody else syncs just now, the
    connection is gone) is only logged, and the next sync sees it.
    """
    from pmpc_reconcile.actions.sync import SyncInput
    from pmpc_reconcile.observing import observe
    from pmpc_state import StateError
    from proxmox_client import PveError

    try:
        reader = context.state.reader()
        if not await asyncio.to_thread(reader.runs, context.cluster, limit=1):
            return
        wanted = SyncInput(incremental=True, most=MOST)
        await observe(context.state, context.connection(), context.cluster, wanted, ignore_event)
    except (StateError, PveError) as error:
        log.info("cannot look at cluster %s after the apply: %s", context.cluster, error)
