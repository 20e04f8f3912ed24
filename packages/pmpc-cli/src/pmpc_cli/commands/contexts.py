"""`pmpc context`: name the clusters pmpc talks to, and whom to trust there."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

from pmpc_cli.connecting import (
    Credentials,
    TrustChoice,
    check_connection,
    choose_trust,
    server_url,
    without_password,
)
from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import DocumentOption, RowsOption, YesOption
from pmpc_cli.present.output import show_document, show_rows
from pmpc_cli.present.table import Column
from pmpc_cli.present.terminal import say
from pmpc_reconcile.contexts import Context, Contexts, check_name, load_contexts, save_contexts

LEVELS = {"ok": "green", "warning": "yellow", "error": "bold red"}

app = App(name="context", help="Name the clusters pmpc talks to.")


@app.command
async def add(
    name: Annotated[str, Parameter(group="Arguments")],
    url: Annotated[str, Parameter(group="Arguments")],
    *,
    token: Annotated[str | None, Parameter(metavar="USER@REALM!ID=SECRET")] = None,
    token_file: Annotated[
        str | None, Parameter(metavar="FILE|-", allow_leading_hyphen=True)
    ] = None,
    token_env: Annotated[str | None, Parameter(metavar="VARIABLE")] = None,
    fingerprint: Annotated[str | None, Parameter(metavar="AA:BB:…")] = None,
    ca: Annotated[str | None, Parameter(metavar="FILE")] = None,
    trust: bool = False,
    state: Annotated[str | None, Parameter(metavar="URL")] = None,
    use: bool = False,
    no_check: bool = False,
    yes: YesOption = False,
) -> int:
    """Add a cluster, or change one of that name.

    The connection is tried before anything is saved. Without a token option, the token is asked
    for on a terminal; --token is for tests and throw-away tokens, because a command line ends up
    in the shell's history.

    Args:
        name: What to call the cluster.
        url: Where its API is, such as https://pve1:8006.
        token: The API token itself.
        token_file: File that holds the token; - for stdin.
        token_env: Environment variable that holds it at run time; the secret is not saved.
        fingerprint: Trust exactly this certificate: its SHA-256, as PVE shows it.
        ca: Trust certificates signed by this CA (PVE's own: /etc/pve/pve-root-ca.pem).
        trust: Fetch the server's certificate, show its fingerprint and ask whether to pin it.
        state: Database to keep this cluster's state in; an SQLite file of its own by default.
        use: Make it the current context.
        no_check: Save without trying the connection.
    """
    credentials = Credentials(token=token, file=token_file, variable=token_env)
    choice = TrustChoice(fingerprint=fingerprint, ca=ca, first_use=trust, assume_yes=yes)
    contexts = load_contexts()
    where = server_url(url)
    context = Context(
        name=check_name(name),
        url=where,
        token=credentials.secret(),
        token_env=token_env,
        tls=choose_trust(choice, where),
        state=state,
    )
    version = None if no_check else await check_connection(context)
    _save(contexts, context, use=use, version=version)
    return ExitCode.OK


def _save(contexts: Contexts, context: Context, *, use: bool, version: str | None) -> None:
    updated = contexts.with_context(context, use=use)
    path = save_contexts(updated)
    verb = "changed" if context.name in contexts.items else "added"
    found = f" (Proxmox VE {version})" if version else " (not checked)"
    say(f"context {context.name} {verb}{found}, kept in {path}")
    if updated.current != context.name:
        say(f"make it the current one with: pmpc context use {context.name}")


@app.command(name="list")
def list_(*, output: RowsOption = None) -> int:
    """List the clusters, the current one marked with a star."""
    contexts = load_contexts()
    columns: tuple[Column[Context], ...] = (
        Column("CURRENT", lambda item: "*" if item.name == contexts.current else " "),
        Column("NAME", lambda item: item.name),
        Column("URL", lambda item: item.url),
        Column("TRUST", lambda item: item.tls.kind),
        Column("TOKEN", _token_place, wide=True),
        Column("STATE", lambda item: without_password(item.state_url()), wide=True),
    )
    show_rows(
        list(contexts.items.values()),
        columns,
        output,
        name=lambda item: item.name,
        plain=lambda item: _plain(item, contexts),
        nothing="no context yet; add one with `pmpc context add NAME URL`",
    )
    return ExitCode.OK


@app.command
def use(name: str, /) -> int:
    """Make a cluster the current one.

    Args:
        name: The cluster.
    """
    save_contexts(load_contexts().using(name))
    say(f"current context is now {name}")
    return ExitCode.OK


@app.command
def show(name: str | None = None, /, *, output: DocumentOption = "yaml") -> int:
    """Show one cluster's settings without its secret.

    Args:
        name: The cluster; the current one by default.
    """
    contexts = load_contexts()
    document = _plain(contexts.get(name), contexts)
    show_document(document, "json" if output == "json" else "yaml")
    return ExitCode.OK


@app.command
async def check(name: str | None = None, /, *, output: DocumentOption = "text") -> int:
    """Try a cluster: connection, quorum, nodes and what the token may do.

    Args:
        name: The cluster; the current one by default.
    """
    from pmpc_cli.session import session
    from pmpc_reconcile.actions import to_plain
    from pmpc_reconcile.actions.check import CheckInput

    async with session(name) as opened:
        found = await opened.invoke("check", CheckInput())
    if output != "text":
        show_document(to_plain(found), output)
    else:
        for item in found.findings:
            say(f"{item.level.ljust(8)}{item.subject}: {item.message}", style=LEVELS[item.level])
    return ExitCode.OK if found.ok else ExitCode.ERROR


@app.command(alias="rm")
def remove(name: str, /) -> int:
    """Forget a cluster; its state database is kept.

    Args:
        name: The cluster.
    """
    contexts = load_contexts()
    gone = contexts.get(name)
    save_contexts(contexts.without(name))
    say(f"context {name} removed; its state is still in {without_password(gone.state_url())}")
    return ExitCode.OK


def _token_place(context: Context) -> str:
    if context.token_env:
        return f"${context.token_env}"
    kept = context.token or context.password
    return "file" if kept else "keyring" if context.user else ""


def _plain(context: Context, contexts: Contexts) -> dict[str, object]:
    trust = {context.tls.kind: context.tls.value} if context.tls.value else context.tls.kind
    return {
        "name": context.name,
        "current": context.name == contexts.current,
        "url": context.url,
        "token_in": _token_place(context) or None,
        "tls": trust,
        "state": without_password(context.state_url()),
    }
