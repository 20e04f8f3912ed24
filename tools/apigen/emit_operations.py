"""Render `api/operations/<area>.py`: each operation as a constant."""

from __future__ import annotations

from collections.abc import Mapping

from tools.apigen.emit_models import Answer
from tools.apigen.merge import Merged
from tools.apigen.naming import area, constant, operation_id
from tools.apigen.text import head

_DECODERS = ("anything", "boolean", "integer", "listed", "model", "models", "number", "text")


def required(operation: Merged) -> list[str]:
    """List parameters that have to be sent beside the path's own, by the newest version's word."""
    return [
        name
        for name, spans in sorted(operation.parameters.items())
        if name not in operation.placeholders
        and spans[-1].last == operation.last
        and not spans[-1].facts.get("optional")
    ]


def family_keys(operation: Merged) -> dict[str, str]:
    """Map `net[n]` to the key it is handed on under: `net`, unless a plain parameter has it."""
    return {
        name: name if name[:-3] in operation.parameters else name[:-3]
        for name in sorted(operation.parameters)
        if name.endswith("[n]")
    }


def dated(operation: Merged, versions: list[str]) -> list[str]:
    """List parameters that came later than the operation or went earlier, as source."""
    families = family_keys(operation)
    found: list[str] = []
    for name, spans in sorted(operation.parameters.items()):
        first, last = spans[0].first, spans[-1].last
        if name not in operation.placeholders and (
            first > operation.first or last < operation.last
        ):
            until = f'"{versions[last]}"' if last < len(versions) - 1 else "None"
            found.append(f'("{families.get(name, name)}", "{versions[first]}", {until})')
    return found


def _text_lists(operation: Merged) -> list[str]:
    return [
        name
        for name, spans in sorted(operation.parameters.items())
        if str(spans[-1].facts.get("format", "")).endswith("-list")
    ]


def _encoded(operation: Merged) -> list[str]:
    return [
        name
        for name, spans in sorted(operation.parameters.items())
        if spans[-1].facts.get("format") == "urlencoded"
    ]


def render(
    name: str,
    operations: list[Merged],
    answers: list[Answer],
    versions: list[str],
    worded: Mapping[str, tuple[str, ...]],
) -> str:
    """Write the module of one area.

    Args:
        name: The area.
        operations: Its operations.
        answers: What each answers.
        versions: All versions.
        worded: By operation id, parameters of which some versions lack words or keys.
    """
    body: list[str] = []
    for operation, answer in zip(operations, answers, strict=True):
        limited = worded.get(operation_id(operation.method, operation.path), ())
        body += _constant(operation, answer, versions, limited)
    text = "\n".join(body)
    used = [d for d in _DECODERS if f"{d}(" in text or f"decode={d}," in text or f"({d})" in text]
    imports = ["from typing import TYPE_CHECKING"]
    if "Any" in text:
        imports[0] += ", Any"
    imports += [
        "",
        f"from proxmox_client.wire.decode import {', '.join(used)}",
        "from proxmox_client.wire.operation import Operation, Safety",
    ]
    if " m." in text or "[m." in text:
        imports += [
            "",
            "if TYPE_CHECKING:",
            f"    from proxmox_client.api.models import {name} as m",
        ]
        if "Results[" in text:
            imports.append("    from proxmox_client.wire.results import Results")
    else:
        imports[0] = imports[0].replace("TYPE_CHECKING, ", "").replace("TYPE_CHECKING", "")
        if imports[0].endswith("import "):
            imports = imports[2:]
    lines = head(f"Operations of the area `{name}`, as values.", imports)
    return "\n".join([*lines, "", text]) + "\n"


def _constant(
    operation: Merged, answer: Answer, versions: list[str], worded: tuple[str, ...]
) -> list[str]:
    name = constant(operation.method, operation.path)
    lines = [
        f"{name}: Operation[{answer.annotation}] = Operation(",
        f'    id="{operation_id(operation.method, operation.path)}",',
        f'    method="{operation.method}",',
        f'    path="{operation.path}",',
        f"    decode={answer.decoder},",
        f"    safety=Safety.{operation.safety.upper()},",
    ]
    if operation.starts_task:
        lines.append("    starts_task=True,")
    if operation.newest.get("protected"):
        lines.append("    protected=True,")
    if not operation.newest.get("allowtoken", 1):
        lines.append("    allow_token=False,")
    if operation.first:
        lines.append(f'    since="{versions[operation.first]}",')
    if operation.last < len(versions) - 1:
        lines.append(f'    until="{versions[operation.last]}",')
    for field, names in (
        ("required", required(operation)),
        ("families", list(family_keys(operation).values())),
        ("text_lists", _text_lists(operation)),
        ("encoded", _encoded(operation)),
        ("worded", worded),
    ):
        if names:
            quoted = ", ".join(f'"{name}"' for name in names)
            lines.append(f"    {field}=({quoted},),")
    if limits := dated(operation, versions):
        lines += ["    dated=(", *(f"        {limit}," for limit in limits), "    ),"]
    return [*lines, ")"]


def constants(operations: list[Merged]) -> dict[str, str]:
    """Map operation ids to `area.CONSTANT`."""
    return {
        operation_id(op.method, op.path): f"{area(op.path)}.{constant(op.method, op.path)}"
        for op in operations
    }
