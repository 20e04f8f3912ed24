"""What both clients do when they are made: read addresses, open a session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proxmox_client.flows.learning import LearntServer
from proxmox_client.flows.retry import RetryPolicy
from proxmox_client.flows.session import Account, KnownServer, Route, Session
from proxmox_client.observing.events import Observer
from proxmox_client.observing.watch import Watch
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.tls import FirstUse, Pin, Trust
from proxmox_client.values.login import Login
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
    observers: Iterable[Observer] = (),
    resolve_writes: bool = False,
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
        resolve_writes=resolve_writes,
        watch=Watch(observers, home=str(endpoints[0])),
    )


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
