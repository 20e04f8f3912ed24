"""What a reconcile loop tells while it runs: frozen values for whoever presents them."""

from __future__ import annotations

from collections.abc import Callable

import attrs


@attrs.frozen
class Looked:
    """A release was looked at.

    Attributes:
        release: The release.
        objects: How many objects it has.
        drifted: Addresses that are not as declared.
        healing: Addresses that are being put right.
        refused: Addresses nothing can be done about as they are: not provably ours, not seen.
    """

    release: str
    objects: int
    drifted: tuple[str, ...]
    healing: tuple[str, ...]
    refused: tuple[str, ...] = ()


@attrs.frozen
class Healed:
    """An object is as declared again.

    Attributes:
        release: Its release.
        address: The object.
        writes: Write requests that took.
    """

    release: str
    address: str
    writes: int


@attrs.frozen
class Postponed:
    """A piece of work is tried again later.

    Attributes:
        release: The release.
        address: The object; empty for a look at the release.
        reason: Why.
        seconds: When it is tried again.
        failed: False when it only waits for its turn.
    """

    release: str
    address: str
    reason: str
    seconds: float
    failed: bool


News = Looked | Healed | Postponed
NewsSink = Callable[[News], None]


def ignore_news(_news: News) -> None:
    """Drop the news."""
