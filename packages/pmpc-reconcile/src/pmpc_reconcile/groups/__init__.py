"""Commit groups: configurations that only change as a whole, or call by call under a guard.

Here belong the pure rules of the firewall, of software-defined networks and of a node's network:
what is staged, in which order single calls are safe, what would cut off the management. Requests
belong to `live` and `execute`.
"""

from __future__ import annotations
