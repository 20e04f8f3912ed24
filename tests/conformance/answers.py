"""The client's reading of recorded answers, and what got lost on the way."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, TypeGuard, cast

import attrs

from proxmox_client import schema
from proxmox_client.api import operations
from proxmox_client.wire.model import Model
from proxmox_client.wire.operation import Operation
from proxmox_client.wire.request import Request, Response

RECORDINGS = Path(__file__).parent.parent / "data" / "recordings"


@attrs.frozen
class Exchange:
    """One recorded request with its answer.

    Attributes:
        where: File and line, such as `qemu.jsonl:12`.
        fields: The record as it stands.
    """

    where: str
    fields: dict[str, Any]

    @property
    def path(self) -> str:
        """Return the path without query."""
        return str(self.fields["path"]).partition("?")[0]

    @property
    def status(self) -> int:
        """Return the status code."""
        return int(self.fields["status"])

    @property
    def base(self) -> str:
        """Return what the path is below."""
        return str(self.fields.get("base", "/api2/json"))

    def named_parameters(self) -> dict[str, str]:
        """Return what an error says of each parameter."""
        body = self.fields.get("body")
        fields = cast("dict[str, Any]", body) if isinstance(body, dict) else {}
        return dict(fields.get("errors") or {})

    def request(self) -> Request:
        """Return the request as the client would name it in errors."""
        method = str(self.fields["method"])
        return Request(f"{method} {self.path}", method, self.path, self.path)

    def response(self) -> Response:
        """Return the answer as it would come from the wire."""
        body = self.fields.get("body")
        headers = {str(k).lower(): str(v) for k, v in self.fields.get("headers", {}).items()}
        raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        if body is None or body == "":
            raw = b""
        return Response(self.status, str(self.fields["reason"]), raw, headers)


def exchanges(area: str) -> Iterator[Exchange]:
    """Yield the exchanges of one file, such as `qemu` or `cluster/ha`."""
    path = RECORDINGS / f"{area}.jsonl"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        yield Exchange(f"{area}.jsonl:{number}", json.loads(line))


def areas() -> list[str]:
    """Return the names of all recorded files."""
    return sorted(
        path.relative_to(RECORDINGS).with_suffix("").as_posix()
        for path in RECORDINGS.rglob("*.jsonl")
    )


def is_operation(value: object) -> TypeGuard[Operation[Any]]:
    """Tell operations from what else a module holds."""
    return isinstance(value, Operation)


@cache
def generated() -> dict[tuple[str, str], Operation[Any]]:
    """Return every generated operation by method and path template."""
    found: dict[tuple[str, str], Operation[Any]] = {}
    for module in pkgutil.iter_modules(operations.__path__):
        area = importlib.import_module(f"{operations.__name__}.{module.name}")
        for value in vars(area).values():
            if is_operation(value):
                found[value.method, value.path] = value
    return found


def operation_of(exchange: Exchange) -> Operation[Any] | None:
    """Return the operation an exchange used, None if PVE has none there."""
    found = schema.find(str(exchange.fields["method"]), exchange.path)
    return generated()[found[0].method, found[0].path] if found else None


def plain(value: object) -> object:
    """Return a decoded value under PVE's own names."""
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in cast("list[object]", value)]
    return value


def lost(sent: object, got: object, path: str = "") -> list[str]:
    """Return the places where a decoded value does not hold what was sent.

    Null counts as absent, and a scalar may change its type as long as it says the same.
    """
    if isinstance(sent, dict):
        if not isinstance(got, dict):
            return [f"{path or '.'}: an object became {type(got).__name__}"]
        return _lost_fields(cast("dict[str, object]", sent), cast("dict[str, object]", got), path)
    if isinstance(sent, list):
        mine = cast("list[object]", sent)
        theirs = cast("list[object]", got) if isinstance(got, list) else []
        if len(mine) != len(theirs):
            return [f"{path or '.'}: {len(mine)} entries became {len(theirs)}"]
        pairs = enumerate(zip(mine, theirs, strict=True))
        return [text for number, (a, b) in pairs for text in lost(a, b, f"{path}[{number}]")]
    return [] if same(sent, got) else [f"{path or '.'}: {sent!r} became {got!r}"]


def _lost_fields(sent: dict[str, object], got: dict[str, object], path: str) -> list[str]:
    found: list[str] = []
    for key, value in sent.items():
        if value is None and got.get(key) is None:
            continue
        if key not in got:
            found.append(f"{path}.{key}: absent")
        else:
            found += lost(value, got[key], f"{path}.{key}")
    invented = got.keys() - sent.keys()
    return found + [f"{path}.{key}: invented" for key in sorted(invented)]


def same(sent: object, got: object) -> bool:
    """Tell whether two scalars say the same, whatever their type."""
    if sent == got:
        return True
    if isinstance(got, bool):
        return str(sent).lower() in (("1", "true", "on", "yes") if got else ("0", "", "false"))
    if isinstance(got, (int, float)) and isinstance(sent, str):
        try:
            return float(sent) == got
        except ValueError:
            return False
    return isinstance(got, str) and str(sent) == got
