"""Parameters on their way out: everything becomes text, flat, percent-encoded."""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from proxmox_client.errors import RequestInvalid
from proxmox_client.values.families import join_family
from proxmox_client.values.propstring import PropertyString
from proxmox_client.wire.encoded import percent_encoded
from proxmox_client.wire.operation import Operation, Safety
from proxmox_client.wire.request import Pairs, Request
from proxmox_client.wire.secrets import is_secret, parameters_of

BODY_LIMIT: Final = 512 * 1024
"""PVE refuses larger bodies that are not uploads."""
TARGET_LIMIT: Final = 7 * 1024
"""PVE drops the connection over 8 KiB of headers; a token needs some of them."""

MAY_HOLD_SLASHES: Final = frozenset({"volume", "cidr", "poolid"})
"""Placeholders whose values are more than one segment of a path."""
_PLACEHOLDER: Final = re.compile(r"\{([^{}]+)\}")
_HAS_BODY: Final = frozenset({"POST", "PUT"})
_METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE"})


def build_request(
    op: Operation[Any], placeholders: Mapping[str, str | int], params: Mapping[str, object]
) -> Request:
    """Build the request of an operation.

    Args:
        op: What to call.
        placeholders: A value for each placeholder of its path.
        params: Everything else by PVE's own names; None means "not sent".

    Raises:
        RequestInvalid: A value is missing or cannot be sent.
    """
    missing = [name for name in op.required if params.get(name) is None]
    if missing:
        raise RequestInvalid(op.id, f"{', '.join(missing)} must be given")
    address, path = _fill(op.id, op.path, placeholders)
    try:
        ready = percent_encoded(op.encoded, params) if op.encoded else params
        pairs = tuple(flatten(ready, families=op.families, text_lists=op.text_lists))
    except ValueError as error:
        raise RequestInvalid(op.id, str(error)) from error
    replayable = op.safety is Safety.READ
    return _assemble(
        op.id, op.method, address, path, pairs, replayable=replayable, template=op.path
    )


def build_raw_request(method: str, path: str, params: Mapping[str, object]) -> Request:
    """Build a request from a filled path: the untyped way.

    Args:
        method: GET, POST, PUT or DELETE.
        path: Below `/api2/json`; percent-encoded here unless it already is.
        params: Mappings with whole numbers as keys are families, other sequences are arrays.

    Raises:
        RequestInvalid: The method or the path is none, or a value cannot be sent.
    """
    verb = method.upper()
    name = f"{verb} {path}"
    if verb not in _METHODS:
        raise RequestInvalid(name, f"the methods are {', '.join(sorted(_METHODS))}")
    if not path.startswith("/") or "?" in path or "#" in path:
        raise RequestInvalid(name, "a path starts with / and carries no query: use params")
    if any(part in (".", "..") for part in path.split("/")):
        raise RequestInvalid(name, "a path cannot hold . or ..")
    encoded = quote(path, safe="/%:@!$&'()*+,;=~")
    try:
        pairs = tuple(flatten(params))
    except ValueError as error:
        raise RequestInvalid(name, str(error)) from error
    return _assemble(name, verb, path, encoded, pairs, replayable=verb == "GET", template="")


def flatten(
    params: Mapping[str, object],
    *,
    families: Sequence[str] = (),
    text_lists: Sequence[str] = (),
) -> Iterator[tuple[str, str]]:
    """Yield the pairs PVE gets for these parameters.

    None is dropped, booleans are 1 and 0, families become net0, net1, …, a list is joined by
    commas where PVE wants a `-list` and repeats its key otherwise, a mapping is a property string.
    """
    for key, value in params.items():
        if isinstance(value, PropertyString) or not isinstance(value, Mapping):
            yield from _pairs(key, value, joined=key in text_lists)
            continue
        entries = cast("Mapping[object, object]", value)
        if key in families or (entries and all(isinstance(index, int) for index in entries)):
            for index, entry in entries.items():
                if not isinstance(index, int) or isinstance(index, bool):
                    raise ValueError(f"{key} is indexed by whole numbers, not {index!r}")
                yield from _pairs(join_family(key.removesuffix("[n]"), index), entry, joined=False)
        else:
            yield from _pairs(key, entries, joined=False)


def to_text(value: object) -> str:
    """Return one value as PVE reads it: 1 and 0 for booleans, whole floats without a point."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, enum.Enum):
        return to_text(value.value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, Mapping) and not isinstance(value, PropertyString):
        return PropertyString(cast("Mapping[str, object]", value)).format()
    if isinstance(value, bytes):
        return value.decode()
    return str(value)


def sent_params(request: Request) -> dict[str, str]:
    """Return the parameters of a request as they were sent.

    Those that hold secrets are left out, and those sent several times.
    """
    pairs = parameters_of(request)
    times = Counter(name for name, _ in pairs)
    return {name: value for name, value in pairs if times[name] == 1 and not is_secret(name)}


def _pairs(key: str, value: object, *, joined: bool) -> Iterator[tuple[str, str]]:
    if value is None:
        return
    if not isinstance(value, (list, tuple, set, frozenset)):
        yield key, to_text(value)
        return
    many = cast("Sequence[object] | frozenset[object]", value)
    texts = [to_text(item) for item in many if item is not None]
    if isinstance(many, (set, frozenset)):
        texts.sort()
    if joined:
        yield key, ",".join(texts)
    else:
        for text in texts:
            yield key, text


def _fill(name: str, template: str, placeholders: Mapping[str, str | int]) -> tuple[str, str]:
    """Return the path for people and the path for the wire."""

    def shown(match: re.Match[str]) -> str:
        return str(placeholders[match[1]])

    def encoded(match: re.Match[str]) -> str:
        return _segment(name, match[1], placeholders)

    path = _PLACEHOLDER.sub(encoded, template)
    return _PLACEHOLDER.sub(shown, template), path


def _segment(name: str, placeholder: str, placeholders: Mapping[str, str | int]) -> str:
    if placeholder not in placeholders:
        raise RequestInvalid(name, f"{placeholder} must be given")
    text = str(placeholders[placeholder])
    slashes = placeholder in MAY_HOLD_SLASHES
    if any(part in ("", ".", "..") for part in text.split("/")) or ("/" in text and not slashes):
        raise RequestInvalid(name, f"{text!r} cannot be a {placeholder}")
    return quote(text, safe="/" if slashes else "")


def _assemble(
    name: str,
    method: str,
    address: str,
    path: str,
    pairs: Pairs,
    *,
    replayable: bool,
    template: str,
) -> Request:
    encoded = urlencode(pairs, quote_via=quote, safe="")
    body: bytes | None = None
    target = path
    if method in _HAS_BODY:
        body = encoded.encode()
        if len(body) > BODY_LIMIT:
            raise RequestInvalid(name, f"{len(body)} bytes of parameters; PVE takes {BODY_LIMIT}")
    elif encoded:
        target = f"{path}?{encoded}"
    if len(target) > TARGET_LIMIT:
        raise RequestInvalid(name, f"a URL of {len(target)} bytes; PVE takes {TARGET_LIMIT}")
    return Request(
        operation=name,
        method=method,
        address=address,
        target=target,
        body=body,
        replayable=replayable,
        template=template,
    )
