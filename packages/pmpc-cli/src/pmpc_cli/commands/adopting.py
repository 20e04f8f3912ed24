"""`pmpc adopt`: write the manifests of guests nobody manages yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import ContextOption, DocumentOption, ReleaseOption
from pmpc_cli.present.output import show_document
from pmpc_cli.present.terminal import tell, write

if TYPE_CHECKING:
    from pmpc_reconcile.actions.adopt import AdoptOutput


async def adopt(
    *names: Annotated[str, Parameter(group="Arguments")],
    kind: Annotated[list[str] | None, Parameter(name="--kind", metavar="KIND")] = None,
    release: ReleaseOption = "default",
    context: ContextOption = None,
    output: DocumentOption = "text",
) -> int:
    """Write the manifests of guests, pools and settings that nobody manages yet.

    The manifests go to stdout: pmpc adopt db-1 > db-1.yaml. Nothing is changed. A plan is stored
    that makes them part of the release; it only puts pmpc's marker into descriptions of guests and
    pools. What is named and the release manages already is taken as it is now, with what others
    changed and added.

    Args:
        names: Names, or vmids of guests; without any, everything of these kinds but templates.
        kind: Of this kind instead of guests: VirtualMachine, Container, Storage, Pool, Sdn,
            NodeNetwork or Firewall; may be repeated.
    """
    from pmpc_cli.present.progress import Progress
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.adopt import AdoptInput

    wanted = AdoptInput(names=names, kinds=tuple(kind or ()), release=release, save=True)
    async with session(context) as opened:
        found: AdoptOutput = await opened.invoke("adopt", wanted, Progress())
    if output != "text":
        show_document(to_plain(found), output)
    else:
        write(found.text)
    _tell_proof(found)
    return ExitCode.OK if found.proven else ExitCode.ERROR


def _counted(found: AdoptOutput) -> str:
    """Return how many objects there are, as `3 guests` or `1 object`."""
    objects = found.plan.objects
    guests = all(item.vmid is not None for item in objects)
    return f"{len(objects)} {'guest' if guests else 'object'}{'' if len(objects) == 1 else 's'}"


def _tell_proof(found: AdoptOutput) -> None:
    """Say on stderr what was left out and whether the manifests change nothing."""
    from pmpc_cli.present.failure import show_diagnostic
    from pmpc_cli.present.plan import plan_lines

    for reason in found.left:
        tell(f"left out: {reason}", style="yellow")
    if found.proven:
        tell(f"Proven: these manifests change no option of {_counted(found)}.")
        tell(f"Adopt them with: pmpc apply --plan {found.plan.id}")
        return
    for line in plan_lines(found.plan):
        tell(line)
    for diagnostic in found.plan.diagnostics:
        show_diagnostic(diagnostic)
    tell("error: these manifests would change what is there; adopt fewer of them", style="bold red")
