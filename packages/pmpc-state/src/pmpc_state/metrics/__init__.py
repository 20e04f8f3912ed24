"""What PVE's lists and statistics say, as samples.

Belongs here: pure reading of answers. Does not belong here: asking for them (syncing) and keeping
them (repositories).
"""

from __future__ import annotations

from pmpc_state.metrics.listed import listed_samples
from pmpc_state.metrics.statistics import statistics_samples, tier_of

__all__ = ["listed_samples", "statistics_samples", "tier_of"]
