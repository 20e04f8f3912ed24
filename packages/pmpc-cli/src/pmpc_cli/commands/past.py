"""`pmpc snapshot`, `snapshots`, `changes`, `log` and more: name moments, look back."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import (
    AfterOption,
    ContextOption,
    FilterOption,
    LimitOption,
    RowsOption,
    SortOption,
)
from pmpc_cli.present.output import row_format, show_document, show_rows, tell_more
from pmpc_cli.present.terminal import say, tell
from pmpc_cli.present.values import show_time

TimeOption = Annotated[str, Parameter(metavar="TIME", allow_leading_hyphen=True)]


async def snapshot(name: str, /, *, pinned: bool = False, context: ContextOption = None) -> int:
    """Give the cluster's state as last observed a name.

    This is a mark in the database; guests are not touched.

    Args:
        name: What to call it.
        pinned: Keep what it shows for ever, whatever pmpc state forget forgets.
    """
    from pmpc_cli.session import session
    from pmpc_reconcile.actions.snapshot import SnapshotInput

    async with session(context, online=False) as opened:
        taken = await opened.invoke("snapshot", SnapshotInput(name=name, pinned=pinned))
    moment = taken.snapshot
    say(f"snapshot {moment.name} is the state of {taken.cluster} at {show_time(moment.time)}")
    return ExitCode.OK


async def snapshots(
    *,
    filter_: FilterOption = "",
    sort: SortOption = "",
    limit: LimitOption = None,
    after: AfterOption = None,
    context: ContextOption = None,
    output: RowsOption = None,
) -> int:
    """List the named moments of a cluster, oldest first."""
    from pmpc_cli.present.observed import snapshot_columns
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.snapshots import SnapshotsInput

    async with session(context, online=False) as opened:
        asked = SnapshotsInput(filter=filter_, sort=sort, limit=limit, after=after)
        found = await opened.invoke("snapshots", asked)
    show_rows(
        found.items,
        snapshot_columns(),
        output,
        name=lambda item: item.name,
        plain=to_plain,
        nothing="no snapshot yet; `pmpc snapshot NAME` takes one",
    )
    tell_more(len(found.items), found.total, found.next)
    return ExitCode.OK


async def changes(
    since: TimeOption = "-24h",
    until: Annotated[str | None, Parameter(metavar="TIME", allow_leading_hyphen=True)] = None,
    /,
    *,
    kind: Annotated[str | None, Parameter(metavar="KIND")] = None,
    of: Annotated[str | None, Parameter(metavar="NAME")] = None,
    path: Annotated[str | None, Parameter(metavar="FIELD")] = None,
    by: Annotated[str | None, Parameter(metavar="USER", allow_leading_hyphen=True)] = None,
    each: bool = False,
    limit: LimitOption = None,
    after: AfterOption = None,
    context: ContextOption = None,
    output: RowsOption = None,
) -> int:
    """Show what changed between two times, and by whom.

    Args:
        since: From: 2026-11-22T16:00, 16:00 or yesterday (in UTC, unless a zone is given), -2h or a
            snapshot's name.
        until: To: the same; now by default.
        kind: Only this kind.
        of: Only this object: web-1, 100 or qemu/100.
        path: Only in this field or below it, such as memory; net* is a pattern.
        by: Only by this user, such as alice@pve; - where nobody is known.
        each: Every change by itself, in the order of time.
    """
    from pmpc_cli.present.observed import changes_lines
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.changes import ChangesInput

    wanted = ChangesInput(
        since=since, until=until, kind=kind, name=of, path=path, actor=by, each=each,
        limit=limit, after=after,
    )  # fmt: skip
    async with session(context, online=False) as opened:
        found = await opened.invoke("changes", wanted)
    for note in found.notes:
        tell(note)
    form = row_format(output)
    if form == "json" or form == "yaml":
        show_document(to_plain(found), form)
    elif form == "name":
        for item in found.items:
            say(f"{item.kind}/{item.key}")
    else:
        for line in changes_lines(found):
            say(line)
    tell_more(len(found.items), found.total, found.next)
    return ExitCode.OK


async def log(
    name: str,
    /,
    *,
    at: Annotated[str | None, Parameter(metavar="TIME", allow_leading_hyphen=True)] = None,
    limit: LimitOption = None,
    after: AfterOption = None,
    context: ContextOption = None,
    output: RowsOption = None,
) -> int:
    """Show what happened to one object, and who did it.

    Its changes, its tasks, and what the cluster's log says of it, oldest first.

    Args:
        name: web-1, 100 or qemu/100.
        at: As it was called at a time; by default now, or when it was there last.
    """
    from pmpc_cli.present.story import story_lines
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.log import LogInput

    async with session(context, online=False) as opened:
        found = await opened.invoke("log", LogInput(name=name, at=at, limit=limit, after=after))
    tell_more(len(found.items), found.total, found.next)
    form = row_format(output)
    if form == "json" or form == "yaml":
        show_document(to_plain(found), form)
        return ExitCode.OK
    for line in story_lines(found):
        say(line)
    return ExitCode.OK


async def restore_manifest(
    name: str,
    /,
    *,
    at: Annotated[str | None, Parameter(metavar="TIME", allow_leading_hyphen=True)] = None,
    context: ContextOption = None,
) -> int:
    """Write the manifest of an object as it was configured at a time.

    pmpc restore-manifest web-1 --at -2h > web-1.yaml

    Guests, storages, pools, images, firewalls and networks; what has to be known before the
    manifest is planned stands in it as comments.

    Args:
        name: web-1, qemu/100, storage/tank, firewall-alias/desk; or as manifests call it, such as
            Firewall/cluster, Firewall/pve1, Firewall/guest-100, Sdn/cluster, NodeNetwork/pve1.
        at: As of a time (2026-11-22T16:00, -2h) or a snapshot's name; by default now, or the last
            moment of what is gone.
    """
    from pmpc_cli.session import session
    from pmpc_reconcile.actions.restore_manifest import RestoreManifestInput

    async with session(context, online=False) as opened:
        found = await opened.invoke("restore-manifest", RestoreManifestInput(name=name, at=at))
    say(found.text.rstrip())
    for note in () if sys.stdout.isatty() else found.notes:  # a terminal shows the comments
        tell(note)
    return ExitCode.OK


async def metrics(
    name: str,
    metric: str = "",
    /,
    *,
    since: Annotated[str, Parameter(metavar="TIME", allow_leading_hyphen=True)] = "-24h",
    until: Annotated[str | None, Parameter(metavar="TIME", allow_leading_hyphen=True)] = None,
    step: Annotated[str, Parameter(metavar="TIME")] = "1h",
    limit: LimitOption = None,
    after: AfterOption = None,
    context: ContextOption = None,
    output: RowsOption = None,
) -> int:
    """Show what was measured of one object over time.

    pmpc sync --metrics keeps samples; pmpc sync --statistics hour takes over those of PVE.

    Args:
        name: web-1, 100 or qemu/100.
        metric: cpu, mem, disk, up, netin and so on; names what there is if left out.
        since: From: 2026-11-22T16:00, -2h or a snapshot's name.
        until: To: the same; now by default.
        step: The length of time of a line: 1m, 1h, 1d.
    """
    from pmpc_cli.present.story import point_columns
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.metrics import MetricsInput

    wanted = MetricsInput(
        name=name, metric=metric, since=since, until=until, step=step, limit=limit, after=after
    )
    async with session(context, online=False) as opened:
        found = await opened.invoke("metrics", wanted)
    if not metric:
        for known in found.metrics:
            say(known)
        return ExitCode.OK
    show_rows(
        found.items,
        point_columns(),
        output,
        name=lambda item: item.time,
        plain=to_plain,
        nothing="nothing was measured in this time",
    )
    tell_more(len(found.items), found.total, found.next)
    return ExitCode.OK
