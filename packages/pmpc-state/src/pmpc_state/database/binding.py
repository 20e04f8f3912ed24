"""Tying a database to its secret key: a proof in the database, the key elsewhere."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, func, select

from pmpc_state.canonical import SecretKey
from pmpc_state.database.engine import WRITES
from pmpc_state.database.keyfile import (
    VARIABLE,
    create_key_file,
    key_from_environment,
    key_path,
    read_key_file,
)
from pmpc_state.errors import SecretKeyProblem
from pmpc_state.schema import metadata, setting

_ID: Final = "database-id"
_PROOF: Final = "secret-key-proof"
_ADVISORY_LOCK: Final = 0x6B657970


def bind_key(engine: Engine, path: Path | None, given: SecretKey | None) -> SecretKey:
    """Return the key of a database; a database that has none yet is bound to one.

    Raises:
        SecretKeyProblem: The key is missing, unusable or another database's.
    """
    with engine.connect() as connection, connection.begin():
        settings = _settings(connection)
    if _PROOF not in settings:
        settings = _bind(engine, path, given)
    where = key_path(path, settings[_ID])
    key = given or key_from_environment() or read_key_file(where)
    if key is None:
        msg = (
            f"cannot find the key of this state: neither {VARIABLE} nor {where} is there; "
            "copy the key file from where the state was made"
        )
        raise SecretKeyProblem(msg)
    if key.fingerprint(settings[_ID]) != settings[_PROOF] and not _rebind(engine, key):
        msg = (
            f"cannot use the key from {VARIABLE} or {where}: it belongs to another state; "
            "use the key file that was made with this one"
        )
        raise SecretKeyProblem(msg)
    return key


def _bind(engine: Engine, path: Path | None, given: SecretKey | None) -> dict[str, str]:
    with engine.connect() as plain:
        connection = plain.execution_options(**{WRITES: True})
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            settings = _settings(connection)
            if _PROOF in settings:
                return settings  # somebody else was quicker
            database_id = str(uuid.uuid4())
            where = key_path(path, database_id)
            key = given or key_from_environment() or read_key_file(where) or create_key_file(where)
            settings = {_ID: database_id, _PROOF: key.fingerprint(database_id)}
            rows = [{"name": name, "value": value} for name, value in settings.items()]
            connection.execute(setting.insert(), rows)
    return settings


def _rebind(engine: Engine, key: SecretKey) -> bool:
    """Bind a database that holds nothing yet to another key; say whether it was empty.

    Somebody who is about to load a dump brings the dump's key, perhaps after a first try without.
    """
    with engine.connect() as connection, connection.begin():
        if not _is_empty(connection):
            return False
    with engine.connect() as plain:
        connection = plain.execution_options(**{WRITES: True})
        with connection.begin():
            if not _is_empty(connection):
                return False
            proof = key.fingerprint(_settings(connection)[_ID])
            connection.execute(setting.update().where(setting.c.name == _PROOF).values(value=proof))
    return True


def _is_empty(connection: Connection) -> bool:
    tables = (one for one in metadata.sorted_tables if one is not setting)
    return all(connection.execute(select(one).limit(1)).first() is None for one in tables)


def _settings(connection: Connection) -> dict[str, str]:
    rows = connection.execute(select(setting.c.name, setting.c.value))
    return {row.name: row.value for row in rows}
