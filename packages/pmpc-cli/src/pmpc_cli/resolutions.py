"""`--resolve FIELD=ours|theirs|ignore`: how a person settles conflicts."""

from __future__ import annotations

from collections.abc import Iterable

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.failures import CommandRefused
from pmpc_reconcile.diagnostics import did_you_mean

CHOICES = ("ours", "theirs", "ignore")


def parse_resolutions(given: Iterable[str] | None) -> dict[str, str]:
    """Return the choice per field.

    Args:
        given: Texts such as `config.memory=ours` or `VirtualMachine/web-1:config.memory=theirs`.

    Raises:
        CommandRefused: A text has another shape.
    """
    found: dict[str, str] = {}
    for text in given or ():
        field, separator, choice = text.rpartition("=")
        if not separator or not field:
            raise CommandRefused(
                f"cannot read --resolve {text!r}: there is no FIELD=CHOICE",
                f"write --resolve FIELD=CHOICE with one of {', '.join(CHOICES)}",
                ExitCode.USAGE,
            )
        if choice not in CHOICES:
            raise CommandRefused(
                f"cannot read --resolve {text!r}: {choice!r} is none of {', '.join(CHOICES)}",
                did_you_mean(choice, CHOICES),
                ExitCode.USAGE,
            )
        found[field] = choice
    return found
