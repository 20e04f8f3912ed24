"""From a tool call to an action and back: context, progress, errors."""

from __future__ import annotations

import math
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from pmpc_mcp.access import Access
from pmpc_reconcile.actions import to_plain
from pmpc_reconcile.actions.perform import EXPECTED, perform
from pmpc_reconcile.events import (
    ApplyStarted,
    Event,
    StepDone,
    StepFailed,
    StepSkipped,
    StepStarted,
    SyncProgress,
    TaskLog,
)


async def call(
    access: Access,
    name: str,
    arguments: dict[str, object],
    context: Context[Any, Any] | None = None,
) -> dict[str, Any]:
    """Run an action for a tool and return its output as JSON data.

    Args:
        access: Limits of this server.
        name: The action.
        arguments: Fields of its input; None means not given.
        context: The MCP request, for progress; None to report none.

    Raises:
        ToolError: The action could not be performed; the message is for model and person.
    """
    try:
        output = await run(access, name, arguments, context)
    except EXPECTED as error:
        raise ToolError(str(error)) from error
    plain: dict[str, Any] = to_plain(output)
    return plain


async def run(
    access: Access,
    name: str,
    arguments: dict[str, object],
    context: Context[Any, Any] | None = None,
) -> Any:
    """Run an action for a tool and return its output.

    Raises:
        ReconcileError: The action could not be performed.
        StateError: The state database cannot be used.
        PveError: The server refused or could not be reached.
    """
    if context is None:
        return await perform(name, arguments, context=access.context, actor="mcp")
    sender, receiver = anyio.create_memory_object_stream[Event](math.inf)
    failure: Exception | None = None
    output: Any = None
    async with anyio.create_task_group() as group:
        group.start_soon(_report, receiver, context)
        with sender:
            try:
                output = await perform(
                    name,
                    arguments,
                    context=access.context,
                    actor="mcp",
                    on_event=sender.send_nowait,
                )
            except EXPECTED as error:
                failure = error  # raised inside, the group would wrap it
    if failure is not None:
        raise failure
    return output


async def _report(events: MemoryObjectReceiveStream[Event], context: Context[Any, Any]) -> None:
    """Tell the client how far the action is, step by step."""
    done = 0
    total: int | None = None
    async with events:
        async for event in events:
            if isinstance(event, ApplyStarted):
                total = event.steps
            elif isinstance(event, (StepDone, StepFailed, StepSkipped)):
                done += 1
            elif isinstance(event, SyncProgress):
                done, total = event.done, event.total
            text = _describe(event)
            if text:
                await context.report_progress(done, total, text)


def _describe(event: Event) -> str:
    match event:
        case StepStarted(address=address, summary=summary):
            return f"{address}: {summary}"
        case TaskLog(address=address, line=line):
            return f"{address}: {line}"
        case StepDone(address=address):
            return f"{address}: done"
        case (
            StepFailed(address=address, reason=reason) | StepSkipped(address=address, reason=reason)
        ):
            return f"{address}: {reason}"
        case SyncProgress(section=section):
            return f"reading {section}"
        case _:
            return ""
