"""`pmpc sync` and `pmpc get`: read a cluster into the database, look at what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import ContextOption, DocumentOption, RowsOption
from pmpc_cli.present.output import row_format, show_document, show_rows
from pmpc_cli.present.terminal import say, tell

if TYPE_CHECKING:
    from pmpc_cli.session import Session
    from pmpc_reconcile.actions.views import ResourceView


async def sync(
    *,
    snapshot: Annotated[str | None, Parameter(metavar="NAME")] = None,
    everything: Annotated[bool, Parameter(name="--all")] = False,
    context: ContextOption = None,
    output: DocumentOption = "text",
) -> int:
    """Read the cluster into the database; say what changed.

    A node that does not answer makes its guests unknown, never missing.

    Args:
        snapshot: Give the moment a name afterwards.
        everything: Also read access, firewall, SDN, HA, jobs and all other settings.
    """
    from pmpc_cli.present.observed import sync_lines
    from pmpc_cli.present.progress import Progress
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.sync import SyncInput

    wanted = SyncInput(snapshot=snapshot, everything=everything)
    async with session(context) as opened:
        done = await opened.invoke("sync", wanted, Progress())
    if output != "text":
        show_document(to_plain(done), output)
    else:
        for line in sync_lines(done):
            say(line)
    for problem in done.problems:
        tell(f"warning: {problem}", style="yellow")
    return ExitCode.OK


async def get(
    kind: str | None = None,
    name: str | None = None,
    /,
    *,
    node: Annotated[str | None, Parameter(metavar="NAME")] = None,
    status: Annotated[str | None, Parameter(metavar="STATUS")] = None,
    at: Annotated[str | None, Parameter(metavar="TIME", allow_leading_hyphen=True)] = None,
    context: ContextOption = None,
    output: RowsOption = None,
) -> int:
    """List what a cluster holds, now or at an earlier time.

    The answer comes from the database, as last observed by sync.

    pmpc get                   nodes, guests, storages and pools
    pmpc get vm                all VMs
    pmpc get vm 'web-*'        VMs with such names
    pmpc get vm/web-1 -o yaml  one VM with its configuration

    Args:
        kind: node, vm, ct, storage, volume, pool or task; or KIND/NAME.
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
        wanted = ListInput(kind=kind, node=node, name=name, status=status, at=at)
        items: tuple[ResourceView, ...] = (await opened.invoke("list", wanted)).items
    if kind is None:
        items = tuple(item for item in items if item.kind not in ("task", "content"))
    show_rows(
        items,
        resource_columns(items),
        output,
        name=lambda item: f"{item.kind}/{item.key}",
        plain=to_plain,
        nothing="nothing found; `pmpc sync` reads the cluster again",
    )
    return ExitCode.OK


async def _get_one(
    opened: Session, kind: str | None, name: str, at: str | None, output: RowsOption
) -> int:
    from pmpc_cli.present.observed import resource_columns
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.get_resource import GetInput

    found = await opened.invoke("get", GetInput(name=name, kind=kind, at=at))
    item: ResourceView = found.resource
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
