"""Execution of a plan: journal before call, verification after it, nothing done twice.

Here belongs everything that writes to a cluster. Not here: deciding what to write (`plans`).
"""

from __future__ import annotations
