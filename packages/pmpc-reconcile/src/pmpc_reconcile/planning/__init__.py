"""Reading for the kinds that are no guests: each module asks the cluster and lets `plans` decide.

Here belong the order of reading and what the objects of one kind need to know of each other.
Decisions belong to `plans`, requests to `live`.
"""

from __future__ import annotations
