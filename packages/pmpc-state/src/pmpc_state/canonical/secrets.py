"""Secrets never enter the database: a keyed fingerprint stands in their place.

A fingerprint is an HMAC-SHA-256 under a random key of the database, so it shows that a secret
changed, and cannot be searched by guessing without the key. The key is kept apart from the data
(see `pmpc_state.database.keyfile`).

What counts as secret is decided by the name of the option (`names`) and, inside longer texts, by
names and forms (`texts`). PVE itself masks `cipassword` as asterisks in every answer; the mask
tells nothing and is kept as it came.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, cast

import attrs

from pmpc_state.canonical.jsontext import canonical_json
from pmpc_state.canonical.names import is_number_of, is_secret
from pmpc_state.canonical.texts import (
    Hide,
    hide_in_body,
    hide_in_header,
    hide_in_text,
    hide_in_variables,
)

PREFIX: Final = "hmac-sha256:"
KEY_BYTES: Final = 32

_MASK: Final = re.compile(r"\*+")
_FINGERPRINT: Final = re.compile(r"hmac-sha256:[0-9a-f]{64}")
_SECOND_FACTORS: Final = frozenset({"", "x", "x!oath", "x!u2f", "x!yubico"})
"""What PVE itself writes as `keys` of a user whose second factors are kept elsewhere."""


@attrs.frozen
class SecretKey:
    """The key that turns secrets into fingerprints; never printed, never in the database."""

    material: bytes = attrs.field(repr=False)

    @classmethod
    def generate(cls) -> SecretKey:
        """Make a new random key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> SecretKey:
        """Read a key from its hexadecimal form.

        Raises:
            ValueError: The text is not 64 hexadecimal digits.
        """
        material = bytes.fromhex(text.strip())
        if len(material) != KEY_BYTES:
            msg = f"a key is {KEY_BYTES * 2} hexadecimal digits"
            raise ValueError(msg)
        return cls(material)

    def to_text(self) -> str:
        """Return the hexadecimal form, for the key file."""
        return self.material.hex()

    def fingerprint(self, value: object) -> str:
        """Return the fingerprint of a secret value, equal for equal values under this key."""
        text = value if isinstance(value, str) else canonical_json(value)
        digest = hmac.new(self.material, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return PREFIX + digest.hexdigest()


def is_fingerprint(value: object) -> bool:
    """Say whether a value is a fingerprint already."""
    return isinstance(value, str) and _FINGERPRINT.fullmatch(value) is not None


def holds_fingerprint(value: object) -> bool:
    """Say whether a value is, or holds anywhere in it, a fingerprint: it cannot be written back."""
    if isinstance(value, Mapping):
        return any(holds_fingerprint(one) for one in cast("Mapping[Any, object]", value).values())
    if isinstance(value, list | tuple):
        return any(holds_fingerprint(one) for one in cast("list[object]", value))
    return isinstance(value, str) and _FINGERPRINT.search(value) is not None


def redact(document: Mapping[str, Any], key: SecretKey) -> dict[str, Any]:
    """Return a copy of a document in which every secret value is a fingerprint.

    Looks at nested mappings and lists, at property strings (`user=a,password=b`), variables,
    headers and notes, and at values that show by their form that they are secret (private keys,
    API tokens, logins in URLs), whatever their name.
    """

    def hide(text: str) -> str:
        return text if _says_nothing(text) else key.fingerprint(text)

    return {name: _redact_value(name, value, key, hide) for name, value in document.items()}


def redact_resource(kind: str, document: Mapping[str, Any], key: SecretKey) -> dict[str, Any]:
    """Return a copy of what is recorded of a resource with fingerprints as in `redact`.

    Options of its kind that are only called like a secret stay if they are the number they are.
    """
    hidden = redact(document, key)
    config: Mapping[str, Any] = document.get("config", {})
    numbers = {name: value for name, value in config.items() if is_number_of(kind, name, value)}
    return {**hidden, "config": {**hidden["config"], **numbers}} if numbers else hidden


def _redact_value(option: str, value: object, key: SecretKey, hide: Hide) -> object:
    way = _way(option)
    if isinstance(value, str):
        return way(value, hide)
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, object]", value)
        if way is _hide_all:
            return key.fingerprint(entries)
        if option == "header" and "value" in entries:
            return {**entries, "value": hide(str(entries["value"]))}
        # As in {"env": {"value": …, "pending": …}}: the form is that of the option.
        inner = option if option in _SPECIAL else None
        return {
            str(name): _redact_value(
                inner if inner and not is_secret(str(name)) else str(name), entry, key, hide
            )
            for name, entry in entries.items()
        }
    if isinstance(value, list | tuple):
        inner = "" if option == "keys" else option  # a list of keys is one of names
        return [_redact_value(inner, entry, key, hide) for entry in cast("list[object]", value)]
    if value is None or isinstance(value, bool) or way is not _hide_all:
        return value
    return key.fingerprint(value)


@lru_cache(maxsize=4096)
def _way(option: str) -> Callable[[str, Hide], str]:
    return _hide_all if is_secret(option) else _SPECIAL.get(option, hide_in_text)


def _hide_all(value: str, hide: Hide) -> str:
    return hide(value)


def _says_nothing(text: str) -> bool:
    return text == "" or _MASK.fullmatch(text) is not None or is_fingerprint(text)


def _redact_second_factors(value: str, hide: Hide) -> str:
    return value if value in _SECOND_FACTORS else hide(value)


_SPECIAL: Final[Mapping[str, Callable[[str, Hide], str]]] = {
    "body": hide_in_body,
    "env": hide_in_variables,
    "header": hide_in_header,
    "keys": _redact_second_factors,
    "lxc": hide_in_variables,
}
"""Options whose values have a form of their own."""
