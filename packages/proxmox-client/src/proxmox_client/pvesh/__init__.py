"""A tiny pvesh: one call of the API from a command line.

Belongs here: the command line, exit codes, showing an answer. Does not belong here: anything that
decides; a call is what `Client.request` makes of it.
"""

from __future__ import annotations

from proxmox_client.pvesh.command import main

__all__ = ["main"]
