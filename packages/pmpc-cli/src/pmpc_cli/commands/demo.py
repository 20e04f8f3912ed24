"""`pmpc demo`: everything at work on a simulated cluster."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pmpc_cli.exit_codes import ExitCode


async def demo(
    *, keep: Annotated[str | None, Parameter(metavar="DIR")] = None, verbose: bool = False
) -> int:
    """See everything at work on a simulated cluster.

    It takes a few seconds. Nothing outside a temporary folder is touched. Every step checks what it
    claims; the exit code is 0 only if all of it held.

    Args:
        keep: Leave database, manifests and context file in this folder.
        verbose: Show the tasks' log lines too.
    """
    from pmpc_cli.demo.story import tell_story

    return ExitCode.OK if await tell_story(keep, verbose=verbose) else ExitCode.ERROR
