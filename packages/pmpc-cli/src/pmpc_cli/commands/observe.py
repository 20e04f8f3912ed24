"""`pmpc sync` and `pmpc get`: read a cluster into the database, look at what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import (
    AfterOption,
    ContextOption,
    DocumentOption,
    FilterOption,
    LimitOption,
    RowsOption,
    SortOption,
)
from pmpc_cli.present.output import row_format, show_document, show_rows, tell_more
from pmpc_cli.present.terminal import say, tell

if TYPE_CHECKING:
    from pmpc_cli.session import Session
    from pmpc_reconcile.actions.list_resources import ListOutput
    from pmpc_reconcile.actions.views import ResourceView


_USUAL = "kind=node or kind=qemu or kind=lxc or kind=storage or kind=pool"
"""What is shown when nothing was asked for: volumes and settings are many."""


async def sync(
    *,
    snapshot: Annotated[str | None, Parameter(metavar="NAME")] = None,
    without: Annotated[list[str] | None, Parameter(metavar="SECTION")] = None,
    incremental: bool = False,
    within: Annotated[str, Parameter(metavar="TIME")] = "1h",
    most: Annotated[int | None, Parameter(metavar="REQUESTS")] = None,
    concurrency: Annotated[int, Parameter(metavar="REQUESTS")] = 16,
    rate: Annotated[float | None, Parameter(metavar="PER_SECOND")] = None,
    metrics: bool = False,
    statistics: Annotated[str | None, Parameter(metavar="TIMEFRAME")] = None,
    context: ContextOption = None,
    output: DocumentOption = "text",
) -> int:
    """Read the cluster into the database; say what changed.

    A node that does not answer makes its guests unknown, never missing.

    Args:
        snapshot: Give the moment a name afterwards.
        without: Leave a section out: guest-firewall, node-*, content; may be repeated.
        incremental: Read only what lists and tasks say may have changed, and a part of the rest.
        within: Incremental syncs at a steady pace read everything again within this time.
        most: Most requests of an incremental sync that serve only this.
        concurrency: Most requests on their way at once.
        rate: Most requests in a second.
        metrics: Keep samples of the use the lists tell, for pmpc metrics.
        statistics: Also take over PVE's own statistics: hour, day, week, month or year.
    """
    from pmpc_cli.present.observed import sync_lines
    from pmpc_cli.present.progress import Progress
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.sync import SyncInput

    wanted = SyncInput(
        snapshot=snapshot,
        without=tuple(without or ()),
        incremental=incremental,
        within=within,
        most=most,
        concurrency=concurrency,
        rate=rate,
        metrics=metrics,
        statistics=statistics,
    )
    async with session(context) as opened:
        done = await opened.invoke("sync", wanted, Progress())
    if output != "text":
        show_document(to_plain(done), output)
    else:
        for line in sync_lines(done):
            say(line)
    for problem in done.problems:
        tell(f"warning: {problem}", style="yellow")
    for note in done.notes:
        tell(f"note: {note}")
    return ExitCode.OK


async def get(
    kind: str | None = None,
    name: str | None = None,
    /,
    *,
    node: Annotated[str | None, Parameter(metavar="NAME")] = None,
    status: Annotated[str | None, Parameter(metavar="STATUS")] = None,
    filter_: FilterOption = "",
    sort: SortOption = "",
    limit: LimitOption = None,
    after: AfterOption = None,
    at: Annotated[str | None, Parameter(metavar="TIME", allow_leading_hyphen=True)] = None,
    context: ContextOption = None,
    output: RowsOption = None,
) -> int:
    """List what a cluster holds, now or at an earlier time.

    The answer comes from the database, as last observed by sync.

    pmpc get                   nodes, guests, storages and pools
    pmpc get vm                all VMs; with -o json or yaml with their configuration
    pmpc get vm 'web-*'        VMs with such names
    pmpc get vm/web-1 -o yaml  one VM with its configuration
    pmpc get --filter 'tags has prod and maxmem>8G' --sort=-mem

    Args:
        kind: node, vm, ct, storage, volume, pool, task, or a kind of settings; or KIND/NAME.
        name: Name or key; * and ? are wildcards.
        node: Only what is on this node.
        status: Only what has this status, such as running.
        at: As of a time (2026-11-22T16:00, -2h) or a snapshot's name.
    """
    from pmpc_cli.present.observed import resource_columns
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.list_resources import ListInput

    if kind is not None and name is None and "/" in kind:
        kind, _, name = kind.partition("/")
    async with session(context, online=False) as opened:
        if name is not None and not _is_pattern(name):
            return await _get_one(opened, kind, name, at, output)
        wanted = ListInput(
            kind=kind, node=node, name=name, status=status, at=at, sort=sort, limit=limit,
            filter=filter_ or ("" if kind else _USUAL), after=after,
            configurations=row_format(output) in ("json", "yaml"),
        )  # fmt: skip
        found: ListOutput = await opened.invoke("list", wanted)
        items = found.items
    if at is not None and items:
        tell(_AS_OF_NOW)
    show_rows(
        items,
        resource_columns(items),
        output,
        name=lambda item: f"{item.kind}/{item.key}",
        plain=to_plain,
        nothing="nothing found; `pmpc sync` reads the cluster again",
    )
    tell_more(len(items), found.total, found.next)
    return ExitCode.OK


_AS_OF_NOW = "node, status and use are as seen last: there is no history of them"


async def _get_one(
    opened: Session, kind: str | None, name: str, at: str | None, output: RowsOption
) -> int:
    from pmpc_cli.present.observed import resource_columns
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.get_resource import GetInput

    found = await opened.invoke("get", GetInput(name=name, kind=kind, at=at))
    item: ResourceView = found.resource
    if at is not None:
        tell(_AS_OF_NOW)
    form = row_format(output)
    if form == "json" or form == "yaml":
        show_document(to_plain(item), form)
        return ExitCode.OK
    show_rows(
        [item],
        resource_columns([item]),
        form,
        name=lambda row: f"{row.kind}/{row.key}",
        plain=to_plain,
        nothing="",
    )
    return ExitCode.OK


def _is_pattern(name: str) -> bool:
    return "*" in name or "?" in name
