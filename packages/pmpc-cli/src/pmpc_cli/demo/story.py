"""The demo's story: eleven steps, each an action of the catalogue followed by what must be so."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable, Sequence

from rich.text import Text

from pmpc_cli.demo.narrator import ClaimFailed, Narrator
from pmpc_cli.demo.scenes import apply, conflict, observe, undo
from pmpc_cli.demo.scenes.scene import Scene
from pmpc_cli.demo.stage import open_stage
from pmpc_cli.present.failure import show_failure
from pmpc_cli.present.terminal import say

UNDER_UV_RUN = "UV_RUN_RECURSION_DEPTH"
"""Variable `uv run` sets for what it starts."""

Step = Callable[[Scene], Awaitable[None]]

STEPS: tuple[Step, ...] = (
    observe.connect,
    observe.sync,
    observe.snapshot,
    apply.plan,
    apply.apply,
    apply.apply_again,
    conflict.somebody_edits,
    conflict.conflict,
    conflict.reconcile,
    undo.roll_back,
    undo.changes,
)


async def tell_story(
    keep: str | None, *, verbose: bool = False, steps: Sequence[Step] = STEPS
) -> bool:
    """Play every step; stop at the first that does not hold.

    Args:
        keep: Folder to leave everything in, None for a temporary one.
        verbose: Show the tasks' log lines.
        steps: What to play.

    Returns:
        Whether everything held.
    """
    from pmpc_cli.failures import Explanation

    began = time.monotonic()
    narrator = Narrator()
    async with open_stage(keep) as stage:
        scene = Scene(stage, narrator, verbose=verbose)
        try:
            for step in steps:
                await step(scene)
        except ClaimFailed as failed:
            show_failure(
                Explanation(f"the demo did not hold: {failed}", "this is a defect of pmpc")
            )
            return False
    _farewell(narrator, time.monotonic() - began, keep)
    return True


def _farewell(narrator: Narrator, seconds: float, keep: str | None) -> None:
    say()
    say(
        f"Everything held: {narrator.held} checks in {seconds:.0f} seconds.",
        style="bold green",
    )
    if keep:
        say(f"Database, manifests and context file are in {keep}.")
    say("Three commands to try next:")
    # Under `uv run` the command is not on the path of the shell that started it.
    prefix = "uv run " if UNDER_UV_RUN in os.environ else ""
    for command, purpose in (
        ("pmpc context add home https://YOUR-NODE:8006 --trust", "name your own cluster"),
        ("pmpc sync && pmpc get vm", "see what is there; this only reads"),
        ("pmpc plan -f examples/shop", "see what these manifests would do there"),
    ):
        line = prefix + command.replace("&& ", f"&& {prefix}")
        say(Text.assemble("  ", (line.ljust(62), "cyan"), f"  # {purpose}"))
