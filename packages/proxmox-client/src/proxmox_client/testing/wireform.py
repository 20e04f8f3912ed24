"""How requests and answers look on the wire: form bodies, JSON documents, connection headers."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

import orjson

from proxmox_client.testing.request import JSON_TYPE, PveFault, Reply, SimResponse

CLOSE = (("Connection", "close"),)
KEEP = (("Connection", "Keep-Alive"),)
FORWARDED = (("Connection", "close"), ("Connection", "Keep-Alive"))
"""PVE's front server adds its own word to the privileged daemon's; the connection stays open."""


def _collect(sent: dict[str, Any], pairs: list[tuple[str, str]]) -> None:
    """Take up form pairs; a repeated name is one value with NULs, as PVE has it."""
    for name, value in pairs:
        sent[name] = f"{sent[name]}\0{value}" if name in sent else value


def parse_form(text: str) -> dict[str, Any]:
    """Read a form body or query."""
    sent: dict[str, Any] = {}
    _collect(sent, parse_qsl(text, keep_blank_values=True))
    return sent


def answer(data: Any, connection: tuple[tuple[str, str], ...]) -> SimResponse:
    """Write a handler's answer."""
    if isinstance(data, Reply):
        if data.text is not None:
            return SimResponse(
                200, "OK", (("Content-Type", "text/plain"), *connection), data.text.encode()
            )
        document = {"data": data.data, **data.beside}
    else:
        document = {"data": data}
    body = orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)
    return SimResponse(200, "OK", (("Content-Type", JSON_TYPE), *connection), body)


def refuse(fault: PveFault) -> SimResponse:
    """Write an error: its first line is the reason phrase, the connection ends."""
    reason = re.split(r"[\r\n]", fault.message, maxsplit=1)[0]
    if fault.bare or fault.status in (595, 596):
        return SimResponse(fault.status, reason, CLOSE, b"")
    document: dict[str, Any] = {"data": None}
    document["message"] = fault.message + ("\n" if fault.newline else "")
    if fault.errors:
        document["errors"] = fault.errors
    return SimResponse(
        fault.status, reason, (("Content-Type", JSON_TYPE), *CLOSE), orjson.dumps(document)
    )
