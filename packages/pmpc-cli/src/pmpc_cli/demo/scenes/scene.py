"""What every step of the demo gets, and the ways to look behind what pmpc says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from pmpc_cli.present.progress import Progress

if TYPE_CHECKING:
    from pmpc_cli.demo.narrator import Narrator
    from pmpc_cli.demo.stage import Stage
    from pmpc_reconcile.plans.model import Plan
    from proxmox_client.testing.state import Guest

RELEASE = "shop"
MACHINES = ("db-1", "web-1", "web-2")
CONTAINER = "cache-1"
SNAPSHOT = "before-shop"
WEB_1 = "VirtualMachine/web-1"
WEB_2 = "VirtualMachine/web-2"


@attrs.define(eq=False)
class Scene:
    """The stage, the narrator, and what later steps need from earlier ones.

    Attributes:
        stage: Cluster, session, folder.
        narrator: Speaks and checks.
        verbose: Show the tasks' log lines.
        plan: The plan of step four, applied in step five.
        foreign: Configuration digests of guests that are not ours, before pmpc came.
    """

    stage: Stage
    narrator: Narrator
    verbose: bool = False
    plan: Plan | None = None
    foreign: dict[int, str] = attrs.field(factory=dict[int, str])

    @property
    def progress(self) -> Progress:
        """Return a listener for one action."""
        return Progress(quiet=not self.verbose)

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the manifests' folder as actions take it."""
        return (str(self.stage.manifests),)

    def guest(self, name: str) -> Guest:
        """Return a guest as the simulated cluster itself has it.

        Raises:
            KeyError: There is none, or more than one.
        """
        found = [item for item in self.stage.cluster.guests.values() if item.name == name]
        if len(found) != 1:
            raise KeyError(f"{len(found)} guests are called {name}")
        return found[0]

    def live(self, name: str, option: str) -> str | None:
        """Return an option's text on the cluster itself, a pending value first."""
        guest = self.guest(name)
        if option in guest.pending_delete:
            return None
        return guest.pending.get(option, guest.config.get(option))

    def tasks(self) -> int:
        """Return how many tasks the cluster has run."""
        return sum(len(node.tasks) for node in self.stage.cluster.nodes.values())
