"""`pmpc state`: look after the database behind a context."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import ContextOption
from pmpc_cli.present.terminal import say, tell

if TYPE_CHECKING:
    from pmpc_state import State

app = App(name="state", help="Check, migrate, copy and thin the database.")


@app.command
def check(*, context: ContextOption = None) -> int:
    """Tell whether this pmpc can work with the database, and whether it is undamaged.

    Looks at hashes, intervals, snapshots and the chain of the audit log.
    """
    from pmpc_state import check as check_state

    with _opened(context) as (state, name):
        problems = check_state(state)
    for problem in problems:
        tell(f"{problem.area} {problem.subject}: {problem.message}", style="red")
    if problems:
        tell(f"{name} is damaged in {len(problems)} places; restore a backup or load a dump")
        return ExitCode.ERROR
    say(f"{name} is up to date and undamaged")
    return ExitCode.OK


@app.command
def backup(path: Path, /, *, context: ContextOption = None) -> int:
    """Copy the SQLite file while it is used; of PostgreSQL make a dump.

    Args:
        path: Where to; there must be no file yet. Keep the key file beside the database with it.
    """
    from pmpc_state import backup as back_up

    with _opened(context) as (state, name):
        try:
            back_up(state, path)
        except FileExistsError:
            tell(f"cannot copy to {path}: there is a file already", style="red")
            return ExitCode.ERROR
        except ValueError as error:
            tell(str(error), style="red")
            return ExitCode.ERROR
    say(f"{name} is copied to {path}")
    return ExitCode.OK


@app.command
def dump(path: Path, /, *, context: ContextOption = None) -> int:
    """Write the whole state as JSON lines, for SQLite and PostgreSQL alike.

    Args:
        path: The file to write.
    """
    from pmpc_state import dump as dump_state

    with _opened(context) as (state, name), path.open("x", encoding="ascii") as target:
        path.chmod(0o600)
        rows = dump_state(state, target)
    say(f"{rows} rows of {name} are in {path}; keep the key file with it")
    return ExitCode.OK


@app.command
def load(path: Path, /, *, context: ContextOption = None) -> int:
    """Fill an empty database from a dump.

    Args:
        path: The dump. The key file of the dumped state must be in place first.
    """
    from pmpc_state import load as load_state

    with _opened(context, create=True) as (state, name), path.open(encoding="ascii") as source:
        rows = load_state(state, source)
    say(f"{rows} rows are loaded into {name}")
    return ExitCode.OK


@app.command
def forget(
    *,
    everything: Annotated[str, Parameter(metavar="TIME")] = "30d",
    daily: Annotated[str, Parameter(metavar="TIME")] = "180d",
    weekly: Annotated[str, Parameter(metavar="TIME")] = "730d",
    context: ContextOption = None,
) -> int:
    """Forget old history of the cluster; snapshots stay exact, pinned ones for ever.

    Args:
        everything: Keep every change for so long.
        daily: Keep the state of each midnight for so long.
        weekly: Keep the state of each Monday for so long.
    """
    from pmpc_reconcile.contexts import load_contexts
    from pmpc_reconcile.moments import parse_duration
    from pmpc_state import Retention, forget_old

    kept = Retention(parse_duration(everything), parse_duration(daily), parse_duration(weekly))
    cluster = load_contexts().get(context).name
    with _opened(context) as (state, _):
        gone = forget_old(state, cluster, kept)
    say(
        f"forgot {gone.intervals} changes, {gone.resources} objects, {gone.snapshots} snapshots "
        f"and {gone.tasks} tasks of {cluster}"
    )
    return ExitCode.OK


@contextmanager
def _opened(
    context: str | None, *, create: bool = False
) -> Generator[tuple[State, str], None, None]:
    from pmpc_cli.connecting import without_password
    from pmpc_reconcile.contexts import load_contexts
    from pmpc_state import State

    url = load_contexts().get(context).state_url()
    with State.open(url, create=create) as state:
        yield state, without_password(url)


@app.command
def migrate(*, context: ContextOption = None) -> int:
    """Bring the database to the version this pmpc works with; an SQLite file is copied first."""
    from pmpc_cli.connecting import without_password
    from pmpc_reconcile.contexts import load_contexts
    from pmpc_state import migrate as migrate_state

    url = load_contexts().get(context).state_url()
    done = migrate_state(url)
    if done.before == done.after:
        say(f"{without_password(url)} is up to date at version {done.after}")
        return ExitCode.OK
    say(f"{without_password(url)} moved from version {done.before or 'none'} to {done.after}")
    if done.backup is not None:
        say(f"the file as it was is kept as {done.backup}")
    return ExitCode.OK
