"""Which options hold a secret, by their names: the one place that knows.

Public parts are not secret: `sshkeys` and `ssh-public-keys`, certificates, fingerprints, MAC
addresses, names of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_EXACT: Final = frozenset(
    {
        "apitoken",
        "authorization",
        "cipassword",
        "client-key",
        "client_key",
        "corosync_authkey",
        "csrfpreventiontoken",
        "eab-hmac-key",
        "encryption-key",
        "encryption_key",
        "hmac-key",
        "key",
        "keyring",
        "otel-headers",
        "otp",
        "pass",
        "private-key",
        "privkey",
        "secret",
        "ticket",
        "token",
        "totp",
        "value_secret",
        "vncticket",
        "webhook-secret",
    }
)
_SUFFIX: Final = re.compile(r"(^|[-_.])(password|passwd|passphrase|secret|secrets|token)$", re.I)
_KEY_NAME: Final = re.compile(
    r"(private[-_]?key|[-_]secret[-_](?:access[-_])?key|apikey|api[-_]key)$", re.I
)
_IN_WORDS: Final = re.compile(r"(password|passwd|passphrase|secret|token|api[-_]?key)$", re.I)
_VARIABLE: Final = re.compile(r"pass|pwd|secret|token|key|cred|auth|dsn|private|salt|session", re.I)
_NUMBERS: Final[Mapping[str, frozenset[str]]] = {"corosync-totem": frozenset({"token"})}
"""Options of a kind that are called like a secret, but are numbers: milliseconds of corosync."""
_NUMBER: Final = re.compile(r"[0-9]{1,9}", re.ASCII)


@lru_cache(maxsize=4096)
def is_secret(option: str) -> bool:
    """Say whether an option of this name holds a secret."""
    name = option.lower()
    return name in _EXACT or _SUFFIX.search(name) is not None or _KEY_NAME.search(name) is not None


def is_secret_in_words(name: str) -> bool:
    """Say whether words a person wrote, as in `password: x`, name a secret by this."""
    return _IN_WORDS.search(name) is not None


def is_secret_variable(name: str) -> bool:
    """Say whether an environment variable of this name may hold a secret; rather yes than no."""
    return _VARIABLE.search(name) is not None


def is_number_of(kind: str, option: str, value: object) -> bool:
    """Say whether an option of a kind is a number, whatever it is called, and the value is one."""
    if option not in _NUMBERS.get(kind, ()) or isinstance(value, bool):
        return False
    return isinstance(value, int | str) and _NUMBER.fullmatch(str(value)) is not None
