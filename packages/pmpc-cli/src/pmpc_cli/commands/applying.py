"""`pmpc apply`: plan, show, ask, do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.failures import CommandRefused
from pmpc_cli.options import (
    ContextOption,
    DocumentOption,
    DryRunOption,
    FilesOption,
    ReleaseOption,
    ResolveOption,
    YesOption,
)
from pmpc_cli.present.output import DocumentFormat, show_document
from pmpc_cli.present.terminal import confirm, interactive, say, tell

if TYPE_CHECKING:
    from pmpc_cli.session import Session
    from pmpc_reconcile.actions.plan import PlanInput
    from pmpc_reconcile.plans.model import Plan


async def apply(
    plan_file: Annotated[Path | None, Parameter(name="PLANFILE")] = None,
    /,
    *,
    filename: FilesOption | None = None,
    plan: Annotated[str | None, Parameter(name="--plan", metavar="ID")] = None,
    release: ReleaseOption = "default",
    resolve: ResolveOption = None,
    prune: bool = False,
    max_delete: int = 10,
    restart: bool = False,
    atomic: bool = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    context: ContextOption = None,
    output: DocumentOption = "text",
) -> int:
    """Make the cluster match manifests.

    Plans, shows the plan, asks, does it and verifies it.

    Objects somebody else changed are left alone until --resolve says what to do with them; the
    others are brought to their declared state.

    Args:
        plan_file: Apply the plan of a file that `pmpc plan --out` wrote.
        plan: Apply a stored plan instead of manifests: what was shown is what is done.
        prune: Delete objects of the release that the manifests no longer have.
        max_delete: Most objects that --prune deletes in one run.
        restart: Also restart guests of the policy on-demand that have options waiting for it.
        atomic: All or nothing: if a step fails, undo what was done; refuse what nothing could undo.
    """
    from pmpc_cli.resolutions import parse_resolutions
    from pmpc_cli.session import session
    from pmpc_reconcile.actions.plan import PlanInput

    if [filename, plan, plan_file].count(None) != 2:
        raise CommandRefused(
            "cannot tell what to apply",
            "give manifests with -f, a stored plan with --plan or the file of a plan",
            ExitCode.USAGE,
        )
    wanted = PlanInput(
        paths=tuple(filename or ()),
        release=release,
        resolve=parse_resolutions(resolve),
        prune=prune,
        max_delete=max_delete,
        restart=restart,
    )
    async with session(context) as opened:
        made = await _plan(opened, plan, plan_file, wanted)
        return await carry_out(opened, made, dry_run=dry_run, yes=yes, output=output, atomic=atomic)


async def _plan(
    opened: Session, plan_id: str | None, plan_file: Path | None, wanted: PlanInput
) -> Plan:
    """Return the stored plan of that id or file, or make a new one."""
    from pmpc_cli.present.progress import Progress
    from pmpc_reconcile.actions.show_plan import ShowPlanInput

    if plan_file is not None:
        from pmpc_reconcile.plans.model import Plan

        return Plan.load(plan_file)
    if plan_id is not None:
        stored: Plan = (await opened.invoke("show-plan", ShowPlanInput(plan_id))).plan
        return stored
    made: Plan = (await opened.invoke("plan", wanted, Progress())).plan
    return made


async def carry_out(
    opened: Session,
    made: Plan,
    *,
    dry_run: bool,
    yes: bool,
    output: DocumentFormat,
    atomic: bool = False,
) -> int:
    """Show a plan, ask, apply exactly it and show what became of it.

    The plan itself is handed on, not its id: its stored form has no secrets.
    """
    from pmpc_cli.commands.planning import plan_exit_code
    from pmpc_cli.present.plan import show_plan
    from pmpc_cli.present.progress import Progress
    from pmpc_cli.present.report import exit_code, show_report
    from pmpc_cli.stopping import CONTINUE_HINT, stopped_by_interrupt
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.apply import ApplyInput

    if output == "text":
        show_plan(made)
    if dry_run or made.errors:
        if output != "text":
            show_document({"plan": made.to_dict(), "report": None}, output)
        return plan_exit_code(made, detailed=False)
    if not made.empty and not yes and not _agreed(made):
        tell("Nothing was changed.")
        return ExitCode.ERROR
    with stopped_by_interrupt() as brake:
        wanted = ApplyInput(plan=made, atomic=atomic, brake=brake)
        done = await opened.invoke("apply", wanted, Progress())
    if output == "text":
        show_report(done.report)
    else:
        show_document({"plan": made.to_dict(), "report": to_plain(done.report)}, output)
    if done.report.conflicts and output == "text":
        say("Settle conflicts with --resolve FIELD=ours, FIELD=theirs or FIELD=ignore.")
    if brake.reason and done.report.skipped and not done.report.undone:
        tell(CONTINUE_HINT)
        return ExitCode.INTERRUPTED
    return exit_code(done.report)


def _agreed(made: Plan) -> bool:
    if not interactive():
        raise CommandRefused(
            "cannot ask whether to go on: this is not a terminal",
            f"give --yes, or apply exactly this plan later: pmpc apply --plan {made.id} --yes",
            ExitCode.USAGE,
        )
    return confirm(f"Do this on cluster {made.cluster}?")
