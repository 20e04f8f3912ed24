"""Files that hold secrets: read only where nobody else can."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from proxmox_client.errors import CredentialsExposed

_OTHERS: Final = 0o077


def read_private(path: Path) -> str:
    """Return the text of a file that belongs to us and that nobody else may read or write.

    The file is looked at after it was opened, so it cannot be exchanged in between. On systems
    without such permissions it is read as it is.

    Raises:
        CredentialsExposed: It belongs to somebody else, or others may read or write it.
        OSError: It cannot be read.
        UnicodeDecodeError: It is no text.
    """
    with path.open(encoding="utf-8") as stream:
        if os.name == "posix":
            found = os.fstat(stream.fileno())
            _check(path, stat.S_IMODE(found.st_mode), found.st_uid)
        return stream.read()


def _check(path: Path, mode: int, owner: int) -> None:
    if owner != os.getuid():
        why = f"cannot use {path}: it holds secrets and belongs to user {owner}, not to you"
        advice = f"Make one of your own: `cp {path} NEW; chmod 600 NEW`, and PMPC_CONFIG=NEW."
        raise CredentialsExposed(why, advice, path=str(path), mode=mode, owner=owner)
    if mode & _OTHERS:
        why = f"cannot use {path}: it holds secrets and its mode {mode:04o} lets others at them"
        advice = f"Run `chmod 600 {path}`; if others may have read it, make new tokens."
        raise CredentialsExposed(why, advice, path=str(path), mode=mode, owner=owner)
