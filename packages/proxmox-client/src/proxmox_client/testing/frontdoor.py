"""The HTTP side of the API server: paths, bodies, formats, everything before a call is a call.

Shared by the in-process transports and the HTTPS server; does no I/O itself.
"""

from __future__ import annotations

import email.parser
import email.policy
import gzip
import re
from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any, cast

import orjson

from proxmox_client.testing.request import (
    JSON_TYPE,
    ConnectionLost,
    SimRequest,
    SimResponse,
    Upload,
)
from proxmox_client.testing.wireform import CLOSE, parse_form

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

BODY_LIMIT = 512 * 1024
GZIP_FROM = 1024
_UPLOAD = re.compile(r"/nodes/[^/]+/storage/[^/]+/upload(?:\?.*)?")
_SERVER = "/usr/share/perl5/PVE/APIServer/AnyEvent.pm"


class _Refused(Exception):
    def __init__(self, status: int, reason: str, body: str) -> None:
        super().__init__(reason)
        self.response = SimResponse(status, reason, CLOSE, body.encode())


def converse(
    cluster: SimulatedCluster,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    via: str,
) -> Generator[float, None, SimResponse]:
    """Answer one HTTP request: yields seconds to wait, returns the response.

    Args:
        cluster: The cluster that is asked.
        method: HTTP method.
        target: Path with query as on the request line.
        headers: Request headers, names in lower case.
        body: The whole body.
        via: Node that is asked.

    Raises:
        ConnectionLost: The server would hang up.
    """
    try:
        form, path = _split(target)
        if method == "POST" and _UPLOAD.fullmatch(path) and not _is_multipart(headers):
            raise ConnectionLost("the server does not know what to do with such an upload")
        params, upload = _parameters(headers, body, path)
    except _Refused as refused:
        return refused.response
    request = SimRequest(method, path, params, headers, via, upload)
    response = yield from cluster.conversation(request)
    if form == "extjs" and response.status not in (401, 595, 596):
        response = _extjs(response)
    if len(response.body) > GZIP_FROM and "gzip" in headers.get("accept-encoding", ""):
        packed = gzip.compress(response.body, compresslevel=1)
        response = SimResponse(
            response.status,
            response.reason,
            (*response.headers, ("Content-Encoding", "gzip")),
            packed,
        )
    return response


def _split(target: str) -> tuple[str, str]:
    parts = target.split("/", 3)
    if len(parts) < 3 or parts[1] != "api2":
        bare = target.partition("?")[0]
        text = f"no such file '{bare}'"
        raise _Refused(500, text, text + "\n")
    form = parts[2].partition("?")[0]
    path = "/" + (parts[3] if len(parts) > 3 else "")
    if form not in ("json", "extjs"):
        text = f"no formatter for uri {path}, {form}"
        raise _Refused(501, text, text)
    return form, path


def _parameters(
    headers: Mapping[str, str], body: bytes, path: str
) -> tuple[dict[str, Any], Upload | None]:
    if not body:
        return {}, None
    kind = headers.get("content-type", "application/x-www-form-urlencoded")
    bare = kind.partition(";")[0].strip().lower()
    if bare == "multipart/form-data":
        return _multipart(kind, body)
    if len(body) > BODY_LIMIT:
        raise _Refused(501, "for data too large", "for data too large")
    if bare == "application/x-www-form-urlencoded":
        return parse_form(body.decode()), None
    if bare == "application/json":
        return _json(body), None
    text = f"upload 'Content-Type '{kind}' not implemented"
    raise _Refused(506, text, text)


def _json(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        text = (
            "malformed JSON string, neither tag, array, object, number, string or atom,"
            f" at character offset {error.pos}"
            f' (before "{error.doc[error.pos :] or "(end of string)"}") at {_SERVER} line 934.'
        )
        raise _Refused(500, text, text + "\n") from None
    if not isinstance(document, dict):
        text = f"Not a HASH reference at {_SERVER} line 978."
        raise _Refused(500, text, text + "\n")
    return cast("dict[str, Any]", document)


def _is_multipart(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").lower().startswith("multipart/form-data")


def _multipart(kind: str, body: bytes) -> tuple[dict[str, Any], Upload | None]:
    head = f"Content-Type: {kind}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    fields: dict[str, Any] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        data = content if isinstance(content, bytes) else b""
        filename = part.get_filename()
        if filename is None:
            fields[str(name)] = data.decode()
        elif name != "filename":
            text = (
                f"wrong field name '{name}' for file upload, expected 'filename'"
                f" at {_SERVER} line 1325."
            )
            raise _Refused(500, text, text + "\n")
        else:
            # What comes after the file part is not read.
            return {**fields, "filename": filename}, Upload(filename, data)
    return fields, None


def _extjs(response: SimResponse) -> SimResponse:
    """Wrap an answer as ExtJS wants it: always 200, the outcome inside."""
    document: dict[str, Any] = orjson.loads(response.body) if response.body else {"data": None}
    if response.status == 200:
        document["success"] = 1
        headers = response.headers
    else:
        # PVE's own inconsistency: the status is a text where single parameters were refused.
        status = str(response.status) if "errors" in document else response.status
        document |= {"success": 0, "status": status}
        headers = (("Content-Type", JSON_TYPE), ("Connection", "Keep-Alive"))
    return SimResponse(200, "OK", headers, orjson.dumps(document))
