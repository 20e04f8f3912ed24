"""The environment's word: `PMPC_*` variables as values."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from proxmox_client.errors import CredentialsInvalid


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
    proxy: str | None = attrs.field(default=None, repr=False)
    timeout: float | None = None


def read_environment(environ: Mapping[str, str]) -> Environment:
    """Read the variables.

    Raises:
        CredentialsInvalid: One contradicts another or is no number. No message holds a secret.
    """
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    for one, other in (("PMPC_FINGERPRINT", "PMPC_CA_FILE"), ("PMPC_URL", "PMPC_CONTEXT")):
        if one in given and other in given:
            raise CredentialsInvalid(f"{one} and {other} are both set: unset one")
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
        proxy=given.get("PMPC_PROXY"),
        timeout=timeout,
    )
