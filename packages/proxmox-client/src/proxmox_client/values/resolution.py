"""What became of a write whose answer never came."""

from __future__ import annotations

import enum

import attrs

from proxmox_client.values.upid import Upid


class Verdict(enum.Enum):
    """Whether a write happened."""

    APPLIED = "applied"
    """Its task or its effect is there."""
    NOT_APPLIED = "not applied"
    """Neither is there, although there was time enough: it may be sent again."""
    UNKNOWN = "unknown"
    """Nobody can say."""


@attrs.frozen
class Resolution:
    """What became of a write, and how one knows.

    Attributes:
        verdict: Whether it happened.
        evidence: What was seen.
        upid: Its task, where there is one.
    """

    verdict: Verdict
    evidence: str
    upid: Upid | None = None
