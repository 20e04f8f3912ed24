"""`schema`: the JSON Schema of manifests, for editors."""

from __future__ import annotations

from typing import Any

import attrs

from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.events import EventSink


@attrs.frozen
class SchemaInput:
    """Which options the schema allows.

    Attributes:
        version: Those of this version of PVE; None for every option any known version has.
        server: Those of the version the cluster runs.
    """

    version: str | None = attrs.field(
        default=None, metadata={"help": "allow only the options of this version of PVE"}
    )
    server: bool = attrs.field(
        default=False, metadata={"help": "allow only the options of the cluster's version"}
    )


@attrs.frozen
class SchemaOutput:
    """A schema.

    Attributes:
        version: The version of PVE it is for; None for all known ones.
        document: The JSON Schema, draft 2020-12.
    """

    version: str | None
    document: dict[str, Any]


def schema_for(version: str | None) -> SchemaOutput:
    """Return the schema for a version of PVE, or for all known ones.

    Raises:
        InputInvalid: Nothing is known of that version.
    """
    from pmpc_reconcile.manifests import json_schema
    from proxmox_client import schema as facts

    if version is not None and version not in facts.versions():
        raise InputInvalid(
            f"the options of PVE {version} are not known; known are {', '.join(facts.versions())}"
        )
    return SchemaOutput(version, json_schema(version))


async def run(context: ActionContext, value: SchemaInput, on_event: EventSink) -> SchemaOutput:
    """Make the schema.

    Raises:
        InputInvalid: Nothing is known of the version.
        ClientRequired: The server's version is asked for without a connection.
        PveError: The server cannot be asked.
    """
    if not value.server:
        return schema_for(value.version)
    if value.version is not None:
        raise InputInvalid("give a version or ask the server for its own, not both")
    answer = await context.connection().request("GET", "/version")
    return schema_for(str(answer["release"]))


SPEC = ActionSpec(
    name="schema",
    summary="Show the JSON Schema of manifests, for editors",
    risk=Risk.READ,
    input=SchemaInput,
    output=SchemaOutput,
    run=run,
    needs_client=False,
    stores=False,
)
