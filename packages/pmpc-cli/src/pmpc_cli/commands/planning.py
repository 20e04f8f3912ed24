"""`pmpc diff` and `pmpc plan`: compare manifests with the cluster, change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import (
    AfterOption,
    ContextOption,
    DocumentOption,
    FilesOption,
    FilterOption,
    LimitOption,
    ReleaseOption,
    ResolveOption,
    RowsOption,
    SortOption,
)
from pmpc_cli.present.output import show_document, show_rows, tell_more
from pmpc_cli.present.terminal import say, write

if TYPE_CHECKING:
    from pmpc_reconcile.actions.plan import PlanOutput
    from pmpc_reconcile.plans.model import Plan

GraphOption = Annotated[
    Literal["dot", "mermaid"] | None,
    Parameter(name="--graph", metavar="FORMAT", help="Show the steps as a graph instead."),
]
OutOption = Annotated[
    Path | None,
    Parameter(name="--out", metavar="FILE", help="Also write the plan to this file."),
]
DetailedOption = Annotated[
    bool,
    Parameter(name="--detailed-exitcode", help="Exit with 3 when there is something to change."),
]


async def diff(
    *,
    filename: FilesOption | None = None,
    release: ReleaseOption = "default",
    detailed_exitcode: DetailedOption = False,
    context: ContextOption = None,
    output: DocumentOption = "text",
) -> int:
    """Show how the cluster differs from manifests (drift).

    Without manifests, the release's last revision is compared.
    """
    from pmpc_cli.present.plan import object_lines
    from pmpc_cli.present.progress import Progress
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.diff import DiffInput

    wanted = DiffInput(paths=tuple(filename or ()), release=release)
    async with session(context) as opened:
        found = await opened.invoke("diff", wanted, Progress())
    if output != "text":
        show_document(to_plain(found), output)
    else:
        waiting = [item for item in found.plan.objects if item.restart and not item.differs]
        for item in (*found.drifted, *waiting):
            for line in object_lines(item):
                say(line)
        say(f"{len(found.drifted)} objects differ, {len(found.clean)} are as declared.")
    return plan_exit_code(found.plan, detailed=detailed_exitcode)


async def plan(
    *,
    filename: FilesOption,
    release: ReleaseOption = "default",
    resolve: ResolveOption = None,
    prune: bool = False,
    max_delete: int = 10,
    restart: bool = False,
    steps: bool = False,
    needs_approval: bool = False,
    graph: GraphOption = None,
    out: OutOption = None,
    detailed_exitcode: DetailedOption = False,
    context: ContextOption = None,
    output: DocumentOption = "text",
) -> int:
    """Show what an apply would do; change nothing.

    The plan is stored, so that exactly it can be applied later.

    Marks: + create, ~ update in place, - delete, ± delete and make anew, ! conflict,
    x refused, ? unknown.

    Args:
        prune: Delete objects of the release that the manifests no longer have.
        max_delete: Most objects that --prune deletes in one run.
        restart: Also restart guests of the policy on-demand that have options waiting for it.
        steps: Also list the steps in their order.
        needs_approval: Somebody else has to approve it before it can be applied.
    """
    from pmpc_cli.present.plan import show_plan
    from pmpc_cli.present.progress import Progress
    from pmpc_cli.resolutions import parse_resolutions
    from pmpc_cli.session import session
    from pmpc_reconcile.actions.plan import PlanInput

    wanted = PlanInput(
        paths=tuple(filename),
        release=release,
        resolve=parse_resolutions(resolve),
        prune=prune,
        max_delete=max_delete,
        restart=restart,
        needs_approval=needs_approval,
    )
    async with session(context) as opened:
        made: Plan = (await opened.invoke("plan", wanted, Progress())).plan
    if out is not None:
        made.save(out)
    if graph is not None:
        write(made.to_graph(graph) + "\n")
    elif output != "text":
        show_document(made.to_dict(), output)
    else:
        show_plan(made, steps=steps)
        if not made.empty and not made.errors:
            say(_how_to_apply(made, out))
    return plan_exit_code(made, detailed=detailed_exitcode)


def _how_to_apply(made: Plan, out: Path | None) -> str:
    if made.from_json(made.to_json()).withheld:
        return "It has secrets, which are not stored with it: apply the manifests, not the plan."
    if made.needs_approval:
        return f"Let somebody else approve it: pmpc approve {made.id}"
    which = f"--plan {made.id}" if out is None else str(out)
    return f"Apply exactly this with: pmpc apply {which}"


async def plans(
    plan_id: Annotated[str | None, Parameter(name="ID")] = None,
    /,
    *,
    release: Annotated[str | None, Parameter(name=["--release", "-r"], metavar="NAME")] = None,
    filter_: FilterOption = "",
    sort: SortOption = "",
    limit: LimitOption = 20,
    after: AfterOption = None,
    graph: GraphOption = None,
    compare: bool = False,
    context: ContextOption = None,
    output: RowsOption = None,
) -> int:
    """List the stored plans, newest first, or show one.

    Args:
        plan_id: Show this plan with its steps; the beginning of its id is enough.
        release: Only plans of this release.
        compare: Look which of its guests changed since it was made.
    """
    from pmpc_cli.present.plan import show_plan
    from pmpc_cli.present.revisions import plan_columns
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.plans import PlansInput
    from pmpc_reconcile.actions.show_plan import ShowPlanInput

    async with session(context, online=compare) as opened:
        if plan_id is not None:
            wanted = ShowPlanInput(plan_id, compare=compare)
            shown: PlanOutput = await opened.invoke("show-plan", wanted)
        else:
            asked = PlansInput(release=release, filter=filter_, sort=sort, limit=limit, after=after)
            found = await opened.invoke("plans", asked)
            show_rows(
                found.items,
                plan_columns(),
                output,
                name=lambda item: item.id,
                plain=to_plain,
                nothing="no plan yet; `pmpc plan -f FILE` makes one",
            )
            tell_more(len(found.items), found.total, found.next)
            return ExitCode.OK
    if graph is not None:
        write(shown.plan.to_graph(graph) + "\n")
    elif output == "json" or output == "yaml":
        extra = {"approvals": to_plain(shown.approvals), "stale": to_plain(shown.stale)}
        show_document({**shown.plan.to_dict(), **extra}, output)
    else:
        show_plan(shown.plan, steps=True)
        for approval in shown.approvals:
            say(f"approved by {approval.actor} at {approval.at} {approval.note}".rstrip())
        for stale in shown.stale:
            say(f"{stale.address}: {stale.reason}" + ("; plan again" if stale.blocking else ""))
    return ExitCode.OK


async def approve(
    plan_id: Annotated[str, Parameter(name="ID")],
    /,
    *,
    note: str = "",
    context: ContextOption = None,
) -> int:
    """Say that a plan somebody else made may be applied.

    It holds for exactly what the plan says and is kept in the audit log.

    Args:
        plan_id: The plan; the beginning of its id is enough.
        note: Why, for the audit log.
    """
    from pmpc_cli.session import session
    from pmpc_reconcile.actions.approve import ApproveInput

    async with session(context, online=False) as opened:
        found = await opened.invoke("approve", ApproveInput(plan_id, note))
    say(f"Plan {found.plan.id} is approved: pmpc apply --plan {found.plan.id}")
    return ExitCode.OK


def plan_exit_code(made: Plan, *, detailed: bool) -> ExitCode:
    """Return what the process says of a plan."""
    if made.errors:
        return ExitCode.USAGE
    if made.conflicts:
        return ExitCode.CONFLICTS
    return ExitCode.CHANGES if detailed and not made.empty else ExitCode.OK
