"""Software-defined networks: what is staged, what runs, and the calls that stage a change."""

from __future__ import annotations
