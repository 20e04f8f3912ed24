"""`pmpc schema`: what editors check and complete manifests with."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.options import ContextOption
from pmpc_cli.present.output import show_document


async def schema(
    *,
    for_: Annotated[
        str | None,
        Parameter(
            name="--for",
            metavar="VERSION",
            help="Allow only the options of this version of PVE, such as 9.2; every option any "
            "version has by default.",
        ),
    ] = None,
    server: bool = False,
    context: ContextOption = None,
    output: Annotated[
        Literal["json", "yaml"],
        Parameter(name=["--output", "-o"], metavar="FORMAT", help="Form of the answer."),
    ] = "json",
) -> int:
    """Print the JSON Schema of manifests, for editors.

    Give it to an editor with support for YAML schemas, which then completes and checks manifests
    while they are written.

    Args:
        server: Allow only the options of the version the cluster runs.
    """
    from pmpc_reconcile.actions.schema import SchemaInput, schema_for

    if server:
        from pmpc_cli.session import session

        async with session(context) as opened:
            made = await opened.invoke("schema", SchemaInput(version=for_, server=True))
    else:
        made = schema_for(for_)
    show_document(made.document, output)
    return ExitCode.OK
