"""Secrets inside longer texts: property strings, notes, arguments, URLs, variables, headers.

What shows neither by a name in front of it nor by its form that it is a secret is not found: a
bare word in a note stays a word.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Final

from pmpc_state.canonical.names import is_secret, is_secret_in_words, is_secret_variable

Hide = Callable[[str], str]
"""Gives what stands for a secret; what stands for one already, it gives back."""

_CLUE: Final = re.compile(
    r"pass|secret|token|key|ticket|otp|otel-|hmac|author|b(?:earer|asic) |://|!"
)
"""Without one of these, in lower case, a text holds nothing that could be found."""
_PRIVATE_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_TOKEN: Final = re.compile(
    r"([^\s!@=]{1,64}@[^\s!@=]{1,64}![^\s!=]{1,64})[= ]"
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    re.I,
)
_LOGIN: Final = re.compile(r"(://[^\s/@:?#]*:)([^\s/@]+)(?=@)")
_SCHEME: Final = re.compile(r"\b((?:bearer|basic) +)([\w.~+/=:-]{8,})", re.I)
_QEMU_SECRET: Final = re.compile(r"(\bsecret,(?:[^\s,]+,)*data=)([^,\s]+)")
_NAME: Final = re.compile(r"(?<![\w.-])([\"']?)([A-Za-z][\w.-]*)\1[ \t]*([=:])[ \t]*")
_QUOTED: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'")
_QUERY: Final = re.compile(r"[^&#\s]+")
_PLAIN: Final = re.compile(r"(?:[^,\s\0]|,(?=[^\s\0])(?![A-Za-z][\w.-]*=))+")
_HEADER: Final = re.compile(r"(?:^|(?<=,))(name|value)=([^,]*)")
_VARIABLE: Final = re.compile(r"\w+")
_OPEN_HEADERS: Final = frozenset({"accept", "content-type", "user-agent"})


def hide_in_text(text: str, hide: Hide) -> str:
    """Return a text with every secret in it replaced that can be told by its name or its form."""
    if _CLUE.search(text.lower()) is None:
        return text
    if _PRIVATE_PEM.search(text):
        return hide(text)
    # Again until nothing is left, so that the result is one that stays as it is.
    while (hidden := _hide_once(text, hide)) != text:
        text = hidden
    return text


def _hide_once(text: str, hide: Hide) -> str:
    if "://" in text:
        text = _LOGIN.sub(lambda found: found[1] + hide(found[2]), text)
    text = _SCHEME.sub(lambda found: found[1] + hide(found[2]), text)
    text = _QEMU_SECRET.sub(lambda found: found[1] + hide(found[2]), text)
    text = _hide_named(text, hide)
    if "!" not in text:
        return text
    return _TOKEN.sub(lambda found: f"{found[1]}={hide(found[2])}", text)


def hide_in_variables(text: str, hide: Hide) -> str:
    """Return a NUL-separated list of environment variables without the secret values."""
    return "\0".join(_hide_variable(one, hide) for one in text.split("\0"))


def hide_in_header(text: str, hide: Hide) -> str:
    """Return a header of a webhook, `name=…,value=…`, without its value.

    Only of headers that never authorise anything is the value kept.
    """
    parts = dict(_HEADER.findall(text))
    if parts.get("name", "").lower() in _OPEN_HEADERS:
        return text
    return _HEADER.sub(
        lambda found: f"value={hide(found[2])}" if found[1] == "value" and found[2] else found[0],
        text,
    )


def hide_in_body(text: str, hide: Hide) -> str:
    """Return a base64 body as it is if it holds no secret, else what stands for all of it."""
    try:
        plain = base64.b64decode(text, validate=True).decode()
    except ValueError:
        return hide_in_text(text, hide)
    return text if hide_in_text(plain, hide) == plain else hide(text)


def _hide_variable(text: str, hide: Hide) -> str:
    name, equals, value = text.partition("=")
    if equals and value and _VARIABLE.fullmatch(name) and is_secret_variable(name):
        return f"{name}={hide(value)}"
    return hide_in_text(text, hide)


def _hide_named(text: str, hide: Hide) -> str:
    done: list[str] = []
    at = 0
    while (found := _NAME.search(text, at)) is not None:
        done.append(text[at : found.end()])
        at = found.end()
        if not _names_a_secret(found[2], found[3]):
            continue
        value = _value_at(text, found)
        if value is not None:
            done.append(_hidden(value[0], hide))
            at = value.end()
    done.append(text[at:])
    return "".join(done)


def _names_a_secret(name: str, sign: str) -> bool:
    return is_secret(name) if sign == "=" else is_secret_in_words(name)


def _value_at(text: str, found: re.Match[str]) -> re.Match[str] | None:
    in_query = found.start() > 0 and text[found.start() - 1] in "?&"
    quoted = _QUOTED.match(text, found.end())
    return quoted or (_QUERY if in_query else _PLAIN).match(text, found.end())


def _hidden(value: str, hide: Hide) -> str:
    quote = value[0] if value[0] in "\"'" and value[-1] == value[0] and len(value) > 1 else ""
    inner = value[1:-1] if quote else value
    return f"{quote}{hide(inner)}{quote}" if inner else value
