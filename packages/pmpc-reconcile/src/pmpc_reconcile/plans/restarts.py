"""Whether a guest may be restarted now, by its policy, so that waiting options take effect."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs

from pmpc_reconcile.manifests import Manifest
from pmpc_reconcile.values.windows import Window


@attrs.frozen
class RestartDecision:
    """What the policy says at a moment.

    Attributes:
        allowed: Whether the guest may be restarted now.
        reason: One word for programs: `Automatic`, `Asked`, `InWindow`, `Never`, `OnDemand`,
            `OutsideWindow`.
        message: Why, for people.
        until: Until when it may be, ISO 8601 in UTC; None for any time.
    """

    allowed: bool
    reason: str
    message: str
    until: str | None = None

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


def decide_restart(manifest: Manifest, moment: float, *, asked: bool) -> RestartDecision:
    """Return whether a guest may be restarted.

    Args:
        manifest: The guest.
        moment: Now, in seconds since the epoch.
        asked: Whether somebody asked for restarts; policies `never` and `window` do not listen.
    """
    policy, window = manifest.restart.policy, manifest.restart.window
    if policy == "automatic":
        return RestartDecision(True, "Automatic", "its restart policy is automatic")
    if policy == "on-demand":
        if asked:
            return RestartDecision(True, "Asked", "a restart was asked for")
        return RestartDecision(False, "OnDemand", "its restart policy is on-demand: ask for it")
    if policy == "window" and window is not None:
        return _in_window(window, moment)
    return RestartDecision(False, "Never", "its restart policy is never: restart it yourself")


def _in_window(text: str, moment: float) -> RestartDecision:
    window = Window.parse(text)
    closes = window.closes(moment)
    if closes is not None:
        return RestartDecision(True, "InWindow", f"its window {text} is open", _iso(closes))
    opens = _iso(window.opens(moment))
    return RestartDecision(False, "OutsideWindow", f"its window {text} opens at {opens}")


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")
