"""The digest of a configuration: SHA-1 of the file's text, and the check against a stale one."""

from __future__ import annotations

import hashlib

from proxmox_client.testing.request import PveFault

GUEST_MESSAGE = "checksum mismatch (file change by other user?)"
GENERAL_MESSAGE = "detected modified configuration - file changed by other user? Try again."


def digest_of(text: str) -> str:
    """Return the digest PVE gives for a configuration file with this text."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def check_digest(
    sent: str | None, current: str, *, message: str = GENERAL_MESSAGE, prefix: str = ""
) -> None:
    """Refuse a stale digest the way PVE does: status 500, not 409 or 412.

    Raises:
        PveFault: The digest was sent and is not the current one.
    """
    if sent and sent != current:
        raise PveFault(500, prefix + message)
