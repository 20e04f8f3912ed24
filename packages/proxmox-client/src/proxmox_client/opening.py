"""What both clients do when they are made: read addresses, open a session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from proxmox_client.flows.learning import LearntServer
from proxmox_client.flows.retry import RetryPolicy
from proxmox_client.flows.session import Account, KnownServer, Route, Session
from proxmox_client.observing.events import Observer
from proxmox_client.observing.watch import Watch
from proxmox_client.transport.endpoint import DEFAULT_PORT, Endpoint
from proxmox_client.transport.fleet import Fleet
from proxmox_client.transport.tls import CaFile, Pin, Trust
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
    learn_servers: bool = False,
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
        route=Route(tuple(map(str, endpoints)) if several else ("",), learn_servers),
        server=KnownServer() if check_version else None,
        resolve_writes=resolve_writes,
        watch=Watch(observers, home=str(endpoints[0])),
    )


def take_up(
    learnt: Iterable[LearntServer], fleet: Fleet[Any], route: Route, known: Endpoint, trust: Trust
) -> tuple[str, ...]:
    """Take up learnt servers behind those known, and return their addresses.

    Args:
        learnt: What the cluster says of them.
        fleet: Where their senders are made.
        route: The order in which servers are asked.
        known: The server that said so.
        trust: Whom to trust there.
    """
    servers = tuple(fleet.add(*as_server(server, known, trust)) for server in learnt)
    for server in servers:
        route.add(server)
    return servers


def as_server(learnt: LearntServer, known: Endpoint, trust: Trust) -> tuple[Endpoint, Trust]:
    """Return where a learnt server is, and whom to trust there.

    Args:
        learnt: What the cluster says of it.
        known: The server that said so; nodes of a cluster share its port. Plain http ends on this
            machine: towards others it is https.
        trust: Whom to trust there: a pin of one server's certificate fits no other server, and
            certificates that the system trusts do not name the addresses within a cluster. So the
            certificate the cluster states is pinned, but for nodes that its own CA vouches for.
    """
    endpoint = Endpoint(learnt.host, known.port if known.scheme == "https" else DEFAULT_PORT)
    pinned = learnt.fingerprint and not isinstance(trust, CaFile)
    return endpoint, Pin(learnt.fingerprint) if pinned else trust
