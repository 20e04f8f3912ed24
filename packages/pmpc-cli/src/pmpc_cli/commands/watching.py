"""`pmpc status`, `suspend`, `resume`, `self-heal` and `controller`: the reconcile loop."""

from __future__ import annotations

import asyncio
import signal
from typing import Annotated, Literal

from cyclopts import Parameter, validators

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import ContextOption, RowsOption
from pmpc_cli.present.output import show_rows
from pmpc_cli.present.terminal import say, tell

ReleaseWord = Annotated[str, Parameter(help="The release; the whole cluster by default.")]
ObjectWord = Annotated[
    str, Parameter(metavar="KIND/NAME", help="One object of the release; all by default.")
]


async def status(
    release: str | None = None,
    /,
    *,
    last: bool = False,
    detailed_exitcode: bool = False,
    context: ContextOption = None,
    output: RowsOption = None,
) -> int:
    """Show the conditions of every managed object.

    Looks at the cluster now; nothing is changed.

    Args:
        release: The release; all by default.
        last: Show what the controller last saw instead of asking the cluster.
        detailed_exitcode: Exit with 3 if something is not as declared.
    """
    from pmpc_cli.present.status import status_columns
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.status import StatusInput

    async with session(context, online=not last) as opened:
        found = await opened.invoke("status", StatusInput(release=release, last=last))
    for note in found.notes:
        tell(f"note: {note}")
    show_rows(
        found.items,
        status_columns(),
        output,
        name=lambda item: f"{item.release}/{item.address}",
        plain=to_plain,
        nothing="nothing is managed yet; `pmpc apply -f FILE` begins",
    )
    good = all(item.conditions.get("Synced") == "true" for item in found.items)
    return ExitCode.CHANGES if detailed_exitcode and not good else ExitCode.OK


async def suspend(
    release: ReleaseWord = "",
    address: ObjectWord = "",
    /,
    *,
    reason: str = "",
    context: ContextOption = None,
) -> int:
    """Let the controller leave a cluster, a release or an object alone.

    It still looks and reports. What you apply yourself is applied.

    Args:
        reason: Why, for whoever reads it later.
    """
    return await _control(context, release, address, suspend=True, reason=reason)


async def resume(
    release: ReleaseWord = "", address: ObjectWord = "", /, *, context: ContextOption = None
) -> int:
    """Let the controller go on with a cluster, a release or an object."""
    return await _control(context, release, address, suspend=False)


async def self_heal(
    word: Literal["on", "off", "forget", "show"],
    release: ReleaseWord = "",
    address: ObjectWord = "",
    /,
    *,
    reason: str = "",
    context: ContextOption = None,
    output: RowsOption = None,
) -> int:
    """Say whether the controller undoes drift or only reports it, which is what it does at first.

    The narrowest word counts: one about an object before one about its release, and that before
    one about the cluster.

    Args:
        word: Undo drift (on), only report it (off), take back what was said about exactly this
            (forget), or list what was said (show).
        reason: Why, for whoever reads it later.
    """
    if word == "show":
        return await _control(context, release, address, output=output, table=True)
    if word == "forget":
        return await _control(context, release, address, forget=True)
    return await _control(context, release, address, self_heal=word == "on", reason=reason)


async def controller(
    *,
    every: Annotated[float, Parameter(validator=validators.Number(gt=0))] = 60.0,
    workers: Annotated[int, Parameter(validator=validators.Number(gte=1))] = 2,
    disruptions: Annotated[int, Parameter(validator=validators.Number(gte=0))] = 1,
    max_risk: Literal["change", "disruptive"] = "change",
    takeover: Annotated[float, Parameter(validator=validators.Number(gte=1))] = 60.0,
    context: ContextOption = None,
) -> int:
    """Watch the releases of a cluster and undo drift where `pmpc self-heal` says so.

    Runs until it is interrupted (Ctrl-C, SIGTERM); what was begun then is finished first. With
    the state in PostgreSQL any number of these, on any machines, share the work; when one dies,
    the others take over what it was doing.

    Args:
        every: Seconds between two looks at each release.
        workers: Most objects at once in this process.
        disruptions: Most objects interrupted at once, over all processes.
        max_risk: The most that healing may do: change configuration, or also interrupt guests.
        takeover: Seconds within which the work of a process that died is taken over.
    """
    from pmpc_cli.present.status import tell_news
    from pmpc_cli.session import session
    from pmpc_reconcile.controllers import LoopSettings
    from pmpc_reconcile.controllers.serving import serve
    from pmpc_reconcile.risk import Risk

    settings = LoopSettings(
        every=every,
        workers=workers,
        disruptions=disruptions,
        max_risk=Risk(max_risk),
        takeover=takeover,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with session(context) as opened:
        tell(f"watching {opened.context.name} every {every:g} s; Ctrl-C ends it")
        url = opened.context.state_url()
        await serve(opened.action_context, url, settings, stop, tell_news)
    tell("ended; nothing was left half done")
    return ExitCode.OK


async def _control(
    context: str | None,
    release: str,
    address: str,
    *,
    suspend: bool | None = None,
    self_heal: bool | None = None,
    forget: bool = False,
    reason: str = "",
    output: RowsOption = None,
    table: bool = False,
) -> int:
    from pmpc_cli.present.status import control_columns, control_line
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.control import ControlInput

    said = ControlInput(release, address, suspend, self_heal, forget, reason)
    async with session(context, online=False) as opened:
        found = await opened.invoke("control", said)
    if table:
        show_rows(
            found.items,
            control_columns(),
            output,
            name=lambda item: "/".join(part for part in (item.release, item.address) if part),
            plain=to_plain,
            nothing="nothing was said: drift is reported and left alone",
        )
        return ExitCode.OK
    for item in found.items:
        if (item.release, item.address) == (release, address):
            say(control_line(item))
    return ExitCode.OK
