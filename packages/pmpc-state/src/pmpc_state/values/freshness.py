"""How fresh the record of a cluster is."""

from __future__ import annotations

from datetime import datetime

import attrs


@attrs.frozen
class Freshness:
    """How fresh the record of one kind is.

    Attributes:
        kind: The kind.
        resources: How many there are.
        unknown: How many of them the last sync could not see.
        oldest: When the configuration was read whose turn was longest ago, of what can be seen.
        newest: When the last one was read.
    """

    kind: str
    resources: int
    unknown: int
    oldest: datetime | None
    newest: datetime | None
