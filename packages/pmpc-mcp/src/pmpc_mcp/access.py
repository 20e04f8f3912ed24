"""What an assistant may do: whose cluster, and whether it may write."""

from __future__ import annotations

import attrs


@attrs.frozen
class Access:
    """The limits a person set when starting the server.

    Attributes:
        context: Name of the cluster to work on; None for the current one.
        write: Whether `apply` may change the cluster.
    """

    context: str | None = None
    write: bool = False


READ_ONLY = (
    "this server was started read-only, so nothing was changed; a person can apply the plan with "
    "`pmpc apply --plan {plan_id}`, or start the server with `pmpc-mcp --allow-write`"
)
NEEDS_A_PERSON = (
    "{reason}\nDestructive steps need a person: show them the plan and let them run "
    "`pmpc apply --plan {plan_id}`"
)
