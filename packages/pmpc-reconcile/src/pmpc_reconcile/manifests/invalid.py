"""The error that stops a verb because of what the manifests say."""

from __future__ import annotations

from collections.abc import Iterable

from pmpc_reconcile.diagnostics import Diagnostic
from pmpc_reconcile.errors import ReconcileError


class ManifestInvalid(ReconcileError):
    """The manifests have mistakes; nothing was done.

    Attributes:
        diagnostics: Every finding, in the order of the sources.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__("\n".join(finding.render() for finding in self.diagnostics))
