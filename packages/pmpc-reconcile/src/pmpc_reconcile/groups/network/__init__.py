"""A node's network: interfaces that are staged and reloaded together, and who they must not cut."""

from __future__ import annotations
