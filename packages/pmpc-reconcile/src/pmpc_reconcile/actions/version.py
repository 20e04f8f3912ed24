"""`version`: what is installed here and what the server runs."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import metadata

import attrs

from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink

DISTRIBUTIONS = (
    "pmpc-proxmox-client",
    "pmpc-state",
    "pmpc-reconcile",
    "pmpc-cli",
    "pmpc-web",
    "pmpc-mcp",
)


@attrs.frozen
class VersionInput:
    """Nothing to choose; the server is asked when there is a connection."""


@attrs.frozen
class VersionOutput:
    """Versions.

    Attributes:
        packages: Our installed distributions and their versions.
        python: The interpreter's version.
        server: The server's version, None without a connection.
    """

    packages: Mapping[str, str]
    python: str
    server: str | None


def installed() -> dict[str, str]:
    """Return our installed distributions and their versions."""
    found: dict[str, str] = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


async def run(context: ActionContext, value: VersionInput, on_event: EventSink) -> VersionOutput:
    """Ask the installed packages and, if connected, the server."""
    server = None
    if context.client is not None:
        answer = await context.client.request("GET", "/version")
        server = str(answer["version"])
    return VersionOutput(installed(), platform.python_version(), server)


SPEC = ActionSpec(
    name="version",
    summary="Show versions of pmpc and of the server",
    risk=Risk.READ,
    input=VersionInput,
    output=VersionOutput,
    run=run,
    needs_client=False,
    stores=False,
)
