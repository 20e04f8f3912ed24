"""Route `/api/v1/health`: can this server do its work?"""

from __future__ import annotations

from importlib.metadata import version
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from pmpc_reconcile.actions.perform import EXPECTED, perform
from pmpc_reconcile.contexts import load_contexts
from pmpc_state import NotRecorded


class Health(BaseModel):
    """What the server found about itself.

    Attributes:
        status: `ok`, or `failing` when the state database cannot be used.
        version: Version of pmpc-web.
        cluster: Name of the cluster it serves, None when there is none.
        synced: Whether the state database knows the cluster yet; `pmpc sync` makes it so.
        reason: Why it is failing, None otherwise.
    """

    status: Literal["ok", "failing"]
    version: str
    cluster: str | None = None
    synced: bool = False
    reason: str | None = None


async def _synced(cluster: str) -> bool:
    try:
        await perform("snapshots", {}, context=cluster, actor="web")
    except NotRecorded:
        return False
    return True


def build_router(context: str | None) -> APIRouter:
    """Return the routes for a cluster."""
    router = APIRouter()

    @router.get("/health", summary="Tell whether this server can do its work")
    async def health(response: Response) -> Health:
        """Read the snapshots, which needs a context and a readable state database."""
        release = version("pmpc-web")
        try:
            cluster = load_contexts().get(context).name
            synced = await _synced(cluster)
        except EXPECTED as error:
            response.status_code = 503
            return Health(status="failing", version=release, reason=type(error).__name__)
        return Health(status="ok", version=release, cluster=cluster, synced=synced)

    return router
