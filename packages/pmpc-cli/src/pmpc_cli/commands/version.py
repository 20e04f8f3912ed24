"""`pmpc version`: what is installed here and, if asked, what the server runs."""

from __future__ import annotations

import platform

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import ContextOption, DocumentOption
from pmpc_cli.present.output import show_document
from pmpc_cli.present.terminal import say


async def version(
    *, server: bool = False, context: ContextOption = None, output: DocumentOption = "text"
) -> int:
    """Show versions of pmpc's packages.

    Args:
        server: Also ask the cluster for its version.
    """
    from pmpc_reconcile.actions.version import VersionInput, VersionOutput, installed

    found = VersionOutput(installed(), platform.python_version(), None)
    if server:
        from pmpc_cli.session import session

        async with session(context) as opened:
            found = await opened.invoke("version", VersionInput())
    if output != "text":
        from pmpc_reconcile.actions import to_plain

        show_document(to_plain(found), output)
        return ExitCode.OK
    for name, number in found.packages.items():
        say(f"{name} {number}")
    say(f"python {found.python}")
    if found.server is not None:
        say(f"Proxmox VE {found.server}")
    return ExitCode.OK
