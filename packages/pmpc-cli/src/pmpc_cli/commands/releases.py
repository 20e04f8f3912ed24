"""`pmpc history`, `rollback` and `delete`: what became of a release, and back."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import (
    AfterOption,
    ContextOption,
    DocumentOption,
    DryRunOption,
    FilterOption,
    LimitOption,
    ReleaseArgument,
    ResolveOption,
    RowsOption,
    SortOption,
    YesOption,
)
from pmpc_cli.present.output import show_rows, tell_more

KeepOption = Annotated[
    list[str] | None,
    Parameter(
        name="--keep",
        metavar="ADDRESS",
        help="Keep this object; it is nobody's afterwards. May be repeated; '*' keeps all.",
    ),
]


async def history(
    release: Annotated[str | None, Parameter(name=["--release", "-r"], group="Arguments")] = None,
    *,
    filter_: FilterOption = "",
    sort: SortOption = "",
    limit: LimitOption = None,
    after: AfterOption = None,
    context: ContextOption = None,
    output: RowsOption = None,
) -> int:
    """List the revisions of a release, oldest first.

    Args:
        release: The release; the last revision of every release by default.
    """
    from pmpc_cli.present.revisions import revision_columns
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.history import HistoryInput

    async with session(context, online=False) as opened:
        asked = HistoryInput(release=release, filter=filter_, sort=sort, limit=limit, after=after)
        found = await opened.invoke("history", asked)
    show_rows(
        found.items,
        revision_columns(),
        output,
        name=lambda item: f"{item.release}/{item.revision}",
        plain=to_plain,
        nothing="no release yet; `pmpc apply -f FILE` makes one",
    )
    tell_more(len(found.items), found.total, found.next)
    return ExitCode.OK


async def rollback(
    release: ReleaseArgument = "default",
    revision: Annotated[int | None, Parameter(group="Arguments")] = None,
    *,
    resolve: ResolveOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    context: ContextOption = None,
    output: DocumentOption = "text",
) -> int:
    """Return a release to an earlier revision.

    That makes a new revision.

    Only fields the release owns are touched; what others changed since is a conflict, as in apply.

    Args:
        revision: The revision to return to; the one before the last by default.
    """
    from pmpc_cli.commands.applying import carry_out
    from pmpc_cli.present.progress import Progress
    from pmpc_cli.resolutions import parse_resolutions
    from pmpc_cli.session import session
    from pmpc_reconcile.actions.rollback import RollbackInput

    wanted = RollbackInput(
        release=release, revision=revision, dry_run=True, resolve=parse_resolutions(resolve)
    )
    async with session(context) as opened:
        made = (await opened.invoke("rollback", wanted, Progress())).plan
        return await carry_out(opened, made, dry_run=dry_run, yes=yes, output=output)


async def delete(
    release: ReleaseArgument,
    *,
    keep: KeepOption = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    context: ContextOption = None,
    output: DocumentOption = "text",
) -> int:
    """Delete every object of a release.

    Each is proven to be the release's own first; anything else is left alone.
    """
    from pmpc_cli.commands.applying import carry_out
    from pmpc_cli.present.progress import Progress
    from pmpc_cli.session import session
    from pmpc_reconcile.actions.delete import DeleteInput

    wanted = DeleteInput(release=release, keep=tuple(keep or ()), dry_run=True)
    async with session(context) as opened:
        made = (await opened.invoke("delete", wanted, Progress())).plan
        return await carry_out(opened, made, dry_run=dry_run, yes=yes, output=output)
