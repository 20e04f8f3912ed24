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
            "permissions": _permissions(op.newest, permissions),
            **_earlier(op, permissions),
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


def _permissions(operation: Facts, pool: _Pool) -> int | None:
    stated = operation.get("permissions")
    return None if stated is None else pool.add(stated)


def _earlier(op: Merged, pool: _Pool) -> Facts:
    """State who might call it in older versions, only where that differs."""
    spans = [
        [last, _permissions(was, pool), bool(was.get("allowtoken", 1))] for last, was in op.earlier
    ]
    return {"earlier_access": spans} if spans else {}


def pack(value: Facts) -> bytes:
    """Compress a document, the same bytes for the same document."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    return lzma.compress(text, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC32, filters=_FILTERS)
