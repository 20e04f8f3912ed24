"""`pmpc snapshot`, `snapshots` and `changes`: name moments, compare them."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import ContextOption, RowsOption
from pmpc_cli.present.output import row_format, show_document, show_rows
from pmpc_cli.present.terminal import say
from pmpc_cli.present.values import show_time

TimeOption = Annotated[str, Parameter(metavar="TIME", allow_leading_hyphen=True)]


async def snapshot(name: str, /, *, context: ContextOption = None) -> int:
    """Give the cluster's state as last observed a name.

    This is a mark in the database; guests are not touched.

    Args:
        name: What to call it.
    """
    from pmpc_cli.session import session
    from pmpc_reconcile.actions.snapshot import SnapshotInput

    async with session(context, online=False) as opened:
        taken = await opened.invoke("snapshot", SnapshotInput(name=name))
    moment = taken.snapshot
    say(f"snapshot {moment.name} is the state of {taken.cluster} at {show_time(moment.time)}")
    return ExitCode.OK


async def snapshots(*, context: ContextOption = None, output: RowsOption = None) -> int:
    """List the named moments of a cluster, oldest first."""
    from pmpc_cli.present.observed import snapshot_columns
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.snapshots import SnapshotsInput

    async with session(context, online=False) as opened:
        found = await opened.invoke("snapshots", SnapshotsInput())
    show_rows(
        found.items,
        snapshot_columns(),
        output,
        name=lambda item: item.name,
        plain=to_plain,
        nothing="no snapshot yet; `pmpc snapshot NAME` takes one",
    )
    return ExitCode.OK


async def changes(
    since: TimeOption = "-24h",
    until: Annotated[str | None, Parameter(metavar="TIME", allow_leading_hyphen=True)] = None,
    /,
    *,
    kind: Annotated[str | None, Parameter(metavar="KIND")] = None,
    context: ContextOption = None,
    output: RowsOption = None,
) -> int:
    """Show what changed between two times, and by whom.

    Args:
        since: From: 2026-11-22T16:00, -2h or a snapshot's name.
        until: To: the same; now by default.
        kind: Only this kind.
    """
    from pmpc_cli.present.observed import changes_lines
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.changes import ChangesInput

    async with session(context, online=False) as opened:
        found = await opened.invoke("changes", ChangesInput(since=since, until=until, kind=kind))
    form = row_format(output)
    if form == "json" or form == "yaml":
        show_document(to_plain(found), form)
    elif form == "name":
        for item in found.items:
            say(f"{item.kind}/{item.key}")
    else:
        for line in changes_lines(found):
            say(line)
    return ExitCode.OK
