"""What both clients do when they are made: read addresses, choose credentials, read the
environment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from proxmox_client.flows.learning import LearntServer
from proxmox_client.flows.retry import RetryPolicy
from proxmox_client.flows.session import Account, KnownServer, Route, Session
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.tls import CaFile, FirstUse, Pin, Trust
from proxmox_client.values.login import Login, PasswordLogin
from proxmox_client.values.token import ApiToken, as_token


def read_addresses(url: str | Sequence[str]) -> tuple[Endpoint, ...]:
    """Read one address or several of one cluster.

    Raises:
        ValueError: There is none, or one of them is no address.
    """
    urls = (url,) if isinstance(url, str) else tuple(url)
    if not urls:
        raise ValueError("no address is given")
    return tuple(dict.fromkeys(Endpoint.parse(one) for one in urls))


def open_session(
    endpoints: Sequence[Endpoint],
    token: ApiToken | str | None,
    login: Login | None,
    retry: RetryPolicy,
    *,
    check_version: bool,
) -> Session:
    """Return the session of a client.

    Raises:
        ValueError: The token is none, or there is not exactly one of token and login.
    """
    if (token is None) == (login is None):
        raise ValueError("give either token= or login=")
    several = len(endpoints) > 1
    return Session(
        None if token is None else as_token(token),
        retry,
        account=None if login is None else Account.of(login),
        route=Route(tuple(str(endpoint) for endpoint in endpoints) if several else ("",)),
        server=KnownServer() if check_version else None,
    )


def read_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Return a client's arguments from `PMPC_*` variables; empty ones count as unset.

    `PMPC_URL` (several separated by commas or spaces), `PMPC_TOKEN` or `PMPC_USER` with
    `PMPC_PASSWORD`, `PMPC_FINGERPRINT` or `PMPC_CA_FILE`, `PMPC_PROXY`, `PMPC_TIMEOUT`.

    Raises:
        ValueError: Something is missing or contradicts another. No message holds a secret.
    """
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    urls = given.get("PMPC_URL", "").replace(",", " ").split()
    if not urls:
        raise ValueError("PMPC_URL is not set")
    found: dict[str, Any] = {"url": urls[0] if len(urls) == 1 else urls}
    if "PMPC_TOKEN" in given:
        found["token"] = ApiToken.parse(given["PMPC_TOKEN"])
    elif "PMPC_USER" in given and "PMPC_PASSWORD" in given:
        # the password as it is: it may begin or end with a space
        found["login"] = PasswordLogin(given["PMPC_USER"], environ["PMPC_PASSWORD"])
    else:
        raise ValueError("neither PMPC_TOKEN nor PMPC_USER and PMPC_PASSWORD are set")
    if "PMPC_FINGERPRINT" in given and "PMPC_CA_FILE" in given:
        raise ValueError("PMPC_FINGERPRINT and PMPC_CA_FILE are both set: unset one")
    if "PMPC_FINGERPRINT" in given:
        found["tls"] = Pin(given["PMPC_FINGERPRINT"])
    elif "PMPC_CA_FILE" in given:
        found["tls"] = CaFile(given["PMPC_CA_FILE"])
    if "PMPC_PROXY" in given:
        found["proxy"] = given["PMPC_PROXY"]
    if "PMPC_TIMEOUT" in given:
        try:
            found["timeout"] = float(given["PMPC_TIMEOUT"])
        except ValueError:
            raise ValueError("PMPC_TIMEOUT is no number of seconds") from None
    return found


def as_server(learnt: LearntServer, known: Endpoint, trust: Trust) -> tuple[Endpoint, Trust]:
    """Return where a learnt server is, and whom to trust there.

    Args:
        learnt: What the cluster says of it.
        known: The server that said so; nodes of a cluster share port and scheme.
        trust: Whom to trust there: a pin of one server's certificate fits no other server.
    """
    endpoint = Endpoint(learnt.host, known.port, known.scheme)
    pinned = isinstance(trust, (Pin, FirstUse)) and learnt.fingerprint
    return endpoint, Pin(learnt.fingerprint) if pinned else trust
