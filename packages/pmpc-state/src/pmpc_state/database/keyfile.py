"""Where the key for secret fingerprints is kept: never in the database it protects.

The key is 32 random bytes, one per database. It is looked for in this order:

1. the `secret_key` argument of `State.open`;
2. the environment variable `PMPC_STATE_KEY` (64 hexadecimal digits), for servers and containers;
3. a file only its owner can read: `<database file>.key` beside a SQLite file, and
   `pmpc/keys/<database id>.key` in the user's data directory for PostgreSQL.

A fresh database without a key gets a new one in place 3. The database keeps an HMAC of its own id
under the key, so that a wrong key is noticed instead of showing every secret as changed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import platformdirs

from pmpc_state.canonical import SecretKey
from pmpc_state.errors import SecretKeyProblem

VARIABLE: Final = "PMPC_STATE_KEY"


def key_path(database: Path | None, database_id: str) -> Path:
    """Return where the key file of a database belongs."""
    if database is not None:
        return database.with_name(database.name + ".key")
    return Path(platformdirs.user_data_dir("pmpc")) / "keys" / f"{database_id}.key"


def key_from_environment(environment: Mapping[str, str] = os.environ) -> SecretKey | None:
    """Read the key from the environment, None if it is not set there.

    Raises:
        SecretKeyProblem: It is set to something that is not a key.
    """
    text = environment.get(VARIABLE)
    if not text:
        return None
    try:
        return SecretKey.parse(text)
    except ValueError as error:
        msg = f"cannot use {VARIABLE}: {error}"
        raise SecretKeyProblem(msg) from None


def read_key_file(path: Path) -> SecretKey | None:
    """Read a key file, None if there is none.

    Raises:
        SecretKeyProblem: Others can read the file, or it does not hold a key.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        msg = f"cannot read the key file {path}: {error}"
        raise SecretKeyProblem(msg) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        msg = f"cannot use the key file {path}: others can read it; run `chmod 600 {path}`"
        raise SecretKeyProblem(msg)
    try:
        return SecretKey.parse(text)
    except ValueError as error:
        msg = f"cannot use the key file {path}: {error}"
        raise SecretKeyProblem(msg) from None


def create_key_file(path: Path) -> SecretKey:
    """Make a key file, or return the key of the one somebody else made at the same time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            key = SecretKey.generate()
            file.write(key.to_text() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # unlike a rename, fails when the file is there already
        except FileExistsError:
            return read_key_file(path) or key
    finally:
        draft.unlink(missing_ok=True)
    return key
