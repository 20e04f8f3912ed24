"""The library in one script: `python examples/library.py stack/ home`.

It plans a folder of manifests for a named cluster, shows what would be done and why, and does it.
The first half awaits; the second does the same without, as in a notebook.
"""

from __future__ import annotations

import asyncio
import sys

import pmpc_reconcile as reconcile
from pmpc_reconcile import blocking


def tell(event: reconcile.Event) -> None:
    """Say what goes on, one line for each event."""
    print(type(event).__name__)


async def bring(folder: str, name: str) -> reconcile.ApplyReport:
    """Bring a folder of manifests to a cluster."""
    async with reconcile.open(name) as cluster:
        plan = await reconcile.plan(reconcile.load(folder), cluster, "shop")
        for item in plan.changes:
            print(item.address, item.action.value, *(change.path for change in item.changes))
        print(plan.explain())
        return await reconcile.apply(plan, on_event=tell, max_risk=reconcile.Risk.CHANGE)


def take_away(name: str) -> reconcile.ApplyReport:
    """Delete all of it again."""
    plan = blocking.delete("shop", name)
    return blocking.apply(plan, on_event=tell)


if __name__ == "__main__":
    brought = asyncio.run(bring(sys.argv[1], sys.argv[2]))
    sys.exit(0 if brought.ok and take_away(sys.argv[2]).ok else 1)
