"""Render the run-time facts: one compressed JSON document for `proxmox_client.schema`."""

from __future__ import annotations

import json
import lzma
from typing import Any

from tools.apigen.emit_models import Answer
from tools.apigen.merge import Facts, Key, Merged
from tools.apigen.naming import operation_id

_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME}]


class _Pool:
    """Equal values stored once."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._known: dict[str, int] = {}

    def add(self, value: Any) -> int:
        text = json.dumps(value, sort_keys=True)
        if text not in self._known:
            self._known[text] = len(self.values)
            self.values.append(value)
        return self._known[text]


def document(
    versions: list[str],
    operations: dict[Key, Merged],
    formats: dict[str, Facts],
    answers: dict[Key, Answer],
) -> Facts:
    """Build the document that `proxmox_client.schema.load` reads."""
    facts, permissions, returns = _Pool(), _Pool(), _Pool()
    last = len(versions) - 1
    entries = [
        {
            "id": operation_id(op.method, op.path),
            "method": op.method,
            "path": op.path,
            "name": op.newest.get("name"),
            "since": op.first,
            "until": None if op.last == last else op.last,
            "parameters": {
                name: [[span.first, span.last, facts.add(span.facts)] for span in spans]
                for name, spans in sorted(op.parameters.items())
            },
            "additional": op.newest["additional"],
            "permissions": None
            if op.newest.get("permissions") is None
            else permissions.add(op.newest["permissions"]),
            "protected": bool(op.newest.get("protected", 0)),
            "allow_token": bool(op.newest.get("allowtoken", 1)),
            "proxy_to": op.newest.get("proxyto"),
            "safety": op.safety,
            "starts_task": op.starts_task,
            "returns": returns.add(op.returns),
            "result": "Task" if op.starts_task else answers[key].annotation.replace("m.", ""),
        }
        for key, op in operations.items()
    ]
    return {
        "versions": versions,
        "formats": formats,
        "facts": facts.values,
        "permissions": permissions.values,
        "returns": returns.values,
        "operations": entries,
    }


def pack(value: Facts) -> bytes:
    """Compress a document, the same bytes for the same document."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return lzma.compress(text, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=_FILTERS)
