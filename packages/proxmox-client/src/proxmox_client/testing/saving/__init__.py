"""Keeping a simulated cluster: as YAML, from recorded exchanges, from a live cluster's answers.

Here belong the forms a cluster takes outside memory. Here does not belong what the state means:
the saved form follows the classes that hold it.
"""

from __future__ import annotations

from proxmox_client.testing.saving.building import Copy, from_answers
from proxmox_client.testing.saving.document import from_document, to_document
from proxmox_client.testing.saving.files import load, save
from proxmox_client.testing.saving.live import copy_live
from proxmox_client.testing.saving.plain import Unsaveable
from proxmox_client.testing.saving.recordings import answers_of

__all__ = [
    "Copy",
    "Unsaveable",
    "answers_of",
    "copy_live",
    "from_answers",
    "from_document",
    "load",
    "save",
    "to_document",
]
