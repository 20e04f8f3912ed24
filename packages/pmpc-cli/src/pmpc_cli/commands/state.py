"""`pmpc state`: check and migrate the database behind a context."""

from __future__ import annotations

from cyclopts import App

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import ContextOption
from pmpc_cli.present.terminal import say

app = App(name="state", help="Check and migrate the database.")


@app.command
def check(*, context: ContextOption = None) -> int:
    """Tell whether this pmpc can work with the database."""
    from pmpc_cli.connecting import without_password
    from pmpc_reconcile.contexts import load_contexts
    from pmpc_state import State

    url = load_contexts().get(context).state_url()
    State.open(url, create=False).close()
    say(f"{without_password(url)} is up to date")
    return ExitCode.OK


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
