"""What stands in for commands whose package is not installed."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from pmpc_cli.failures import CommandRefused


def web(*arguments: Annotated[str, Parameter(allow_leading_hyphen=True, show=False)]) -> int:
    """Serve GraphQL and REST (package pmpc-web).

    This command comes with the package pmpc-web, which is not installed.
    """
    raise CommandRefused(
        "cannot serve: the package pmpc-web is not installed",
        "install it next to pmpc: `pip install pmpc-web`",
    )
