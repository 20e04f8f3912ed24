"""Errors on stderr: `error: …`, `hint: …`, and mistakes in manifests with the line they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from pmpc_cli.present.terminal import tell

if TYPE_CHECKING:
    from pmpc_cli.failures import Explanation
    from pmpc_reconcile.diagnostics import Diagnostic

_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def show_failure(explanation: Explanation) -> None:
    """Print why a command failed and what to do next."""
    for diagnostic in explanation.diagnostics:
        show_diagnostic(diagnostic)
    if not explanation.diagnostics:
        tell(Text.assemble(("error", _STYLES["error"]), ": ", explanation.message))
    if explanation.hint:
        tell(Text.assemble(("hint", "bold cyan"), ": ", explanation.hint))


def show_diagnostic(diagnostic: Diagnostic) -> None:
    """Print one mistake: place and message, the source line with a caret, the suggestion."""
    head, *rest = diagnostic.render().splitlines()
    headline = Text(head)
    severity = diagnostic.severity.value
    headline.highlight_words([f"{severity}:"], _STYLES[severity])
    if diagnostic.place:
        headline.stylize("bold", 0, len(diagnostic.place))
    tell(headline)
    for line in rest:
        text = Text(line)
        text.highlight_regex(r"^ *\d* \|", "dim")
        text.highlight_regex(r"\^$", "bold red")
        text.highlight_regex(r"^  hint(?=:)", "bold cyan")
        tell(text)
