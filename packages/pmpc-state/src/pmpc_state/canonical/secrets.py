"""Secrets never enter the database: a keyed fingerprint stands in their place.

A fingerprint is an HMAC-SHA-256 under a random key of the database, so it shows that a secret
changed, and cannot be searched by guessing without the key. The key is kept apart from the data
(see `pmpc_state.database.keyfile`).

What counts as secret is decided by the name of the option. Public parts are not secret:
`sshkeys` and `ssh-public-keys`, certificates, fingerprints, MAC addresses. PVE itself masks
`cipassword` as asterisks in every answer; the mask tells nothing and is kept as it came.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, cast

import attrs

from pmpc_state.canonical.jsontext import canonical_json

PREFIX: Final = "hmac-sha256:"
KEY_BYTES: Final = 32

_EXACT: Final = frozenset(
    {
        "cipassword",
        "client-key",
        "client_key",
        "csrfpreventiontoken",
        "eab-hmac-key",
        "encryption-key",
        "encryption_key",
        "hmac-key",
        "key",
        "keyring",
        "pass",
        "private-key",
        "privkey",
        "secret",
        "ticket",
        "token",
        "value_secret",
        "webhook-secret",
    }
)
_SUFFIX: Final = re.compile(r"(^|[-_.])(password|passwd|passphrase|secret|secrets|token)$", re.I)
_KEY_NAME: Final = re.compile(r"(private[-_]?key|[-_]secret[-_]?key|apikey|api[-_]key)$", re.I)
_PRIVATE_PEM: Final = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----")
_TOKEN_VALUE: Final = re.compile(
    r"[^\s!@=]{1,64}@[^\s!@=]{1,64}![^\s!=]{1,64}[= ][0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.I,
)
_PAIR: Final = re.compile(r"(?<![\w.-])([A-Za-z][\w.-]*)=([^,\s]+)")
_MASK: Final = re.compile(r"\*+")
_FINGERPRINT: Final = re.compile(r"hmac-sha256:[0-9a-f]{64}")


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


@lru_cache(maxsize=4096)
def is_secret(option: str) -> bool:
    """Say whether an option of this name holds a secret."""
    name = option.lower()
    return name in _EXACT or _SUFFIX.search(name) is not None or _KEY_NAME.search(name) is not None


def redact(document: Mapping[str, Any], key: SecretKey) -> dict[str, Any]:
    """Return a copy of a document in which every secret value is a fingerprint.

    Looks at nested mappings and lists, at property strings (`user=a,password=b`), and at values
    that show by their form that they are secret (private keys, API tokens), whatever their name.
    """
    return {name: _redact_value(name, value, key) for name, value in document.items()}


def _redact_value(option: str, value: object, key: SecretKey) -> object:
    if isinstance(value, Mapping):
        entries = cast("Mapping[Any, object]", value)
        if is_secret(option):
            return key.fingerprint(entries)
        return {str(name): _redact_value(str(name), entry, key) for name, entry in entries.items()}
    if isinstance(value, list | tuple):
        return [_redact_value(option, entry, key) for entry in cast("list[object]", value)]
    if is_secret(option):
        return _redact_secret(value, key)
    if isinstance(value, str):
        return _redact_text(value, key)
    return value


def _redact_secret(value: object, key: SecretKey) -> object:
    if value is None or isinstance(value, bool) or value == "" or is_fingerprint(value):
        return value
    if isinstance(value, str) and _MASK.fullmatch(value):
        return value
    return key.fingerprint(value)


def _redact_text(value: str, key: SecretKey) -> str:
    if "PRIVATE KEY" in value and _PRIVATE_PEM.search(value):
        return key.fingerprint(value)
    if "=" in value:
        value = _PAIR.sub(lambda found: _redact_pair(found, key), value)
    if "!" not in value:
        return value
    return _TOKEN_VALUE.sub(lambda found: _redact_token(found.group(), key), value)


def _redact_pair(found: re.Match[str], key: SecretKey) -> str:
    name, value = found.group(1), found.group(2)
    return f"{name}={_redact_secret(value, key)}" if is_secret(name) else found.group()


def _redact_token(text: str, key: SecretKey) -> str:
    name = text[:-37]
    return f"{name}={key.fingerprint(text[-36:])}"
