"""The environment's word: `PMPC_*` variables as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import attrs

from proxmox_client.errors import CredentialsInvalid

TrustWord: TypeAlias = Literal["system", "first-use"]
_WORDS: Final[tuple[TrustWord, ...]] = ("system", "first-use")
_EITHER: Final = (
    ("PMPC_FINGERPRINT", "PMPC_CA_FILE"),
    ("PMPC_FINGERPRINT", "PMPC_TLS"),
    ("PMPC_CA_FILE", "PMPC_TLS"),
    ("PMPC_URL", "PMPC_CONTEXT"),
)


@attrs.frozen
class Environment:
    """What `PMPC_*` variables say; empty ones count as unset.

    Attributes:
        urls: `PMPC_URL`, several separated by commas or spaces.
        context: `PMPC_CONTEXT`: a name in the file of clusters.
        token: `PMPC_TOKEN`.
        user: `PMPC_USER`.
        password: `PMPC_PASSWORD`, as it is: it may begin or end with a space.
        fingerprint: `PMPC_FINGERPRINT`.
        ca_file: `PMPC_CA_FILE`.
        tls: `PMPC_TLS`: `system` or `first-use`.
        proxy: `PMPC_PROXY`.
        timeout: `PMPC_TIMEOUT`.
    """

    urls: tuple[str, ...] = ()
    context: str | None = None
    token: str | None = attrs.field(default=None, repr=False)
    user: str | None = None
    password: str | None = attrs.field(default=None, repr=False)
    fingerprint: str | None = None
    ca_file: str | None = None
    tls: TrustWord | None = None
    proxy: str | None = attrs.field(default=None, repr=False)
    timeout: float | None = None


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Read the variables.

    Raises:
        CredentialsInvalid: One contradicts another or is no number. No message holds a secret.
    """
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    for one, other in _EITHER:
        if one in given and other in given:
            raise CredentialsInvalid(f"{one} and {other} are both set: unset one")
    if given.get("PMPC_TLS") not in (None, *_WORDS):
        raise CredentialsInvalid(f"PMPC_TLS is one of {', '.join(_WORDS)}")
    timeout: float | None = None
    if "PMPC_TIMEOUT" in given:
        try:
            timeout = float(given["PMPC_TIMEOUT"])
        except ValueError:
            raise CredentialsInvalid("PMPC_TIMEOUT is no number of seconds") from None
    return Environment(
        urls=tuple(given.get("PMPC_URL", "").replace(",", " ").split()),
        context=given.get("PMPC_CONTEXT"),
        token=given.get("PMPC_TOKEN"),
        user=given.get("PMPC_USER"),
        password=environ["PMPC_PASSWORD"] if "PMPC_PASSWORD" in given else None,
        fingerprint=given.get("PMPC_FINGERPRINT"),
        ca_file=given.get("PMPC_CA_FILE"),
        tls=next((word for word in _WORDS if word == given.get("PMPC_TLS")), None),
        proxy=given.get("PMPC_PROXY"),
        timeout=timeout,
    )
