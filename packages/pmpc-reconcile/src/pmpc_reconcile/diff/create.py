"""The parameters that create an object as its manifest says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pmpc_reconcile.diff.change import Action, FieldChange
from pmpc_reconcile.diff.wire import Wire, to_wire
from pmpc_reconcile.kinds import Kind
from pmpc_reconcile.manifests import Manifest
from pmpc_reconcile.values import Fields, Secret, SecretMark


def create_options(kind: Kind, manifest: Manifest) -> Wire:
    """Return the options for creating a guest from nothing (not by a clone).

    A guest made by cloning gets the difference to what the clone brought along instead.
    """
    wire = to_wire(kind, additions(manifest.fields), {})
    wire.refused = [
        manifest.diagnose(finding.message, _path_in(manifest, finding.message), hint=finding.hint)
        for finding in wire.refused
    ]
    _create_only(wire, manifest.create_only)
    return wire


def additions(fields: Fields) -> list[FieldChange]:
    """Return every field as something to add."""
    return [
        FieldChange(path=path, action=Action.ADD, desired=value) for path, value in fields.items()
    ]


def _create_only(wire: Wire, options: Mapping[str, Any]) -> None:
    for name, value in options.items():
        if isinstance(value, SecretMark):
            continue
        wire.set[name] = value if isinstance(value, Secret) else str(value)


def _path_in(manifest: Manifest, message: str) -> str:
    """Return the path of the option a refusal begins with."""
    return f"spec.config.{message.split()[0]}"
