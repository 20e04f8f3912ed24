"""Learning the other servers of a cluster from the one that answers."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, cast

import attrs

from proxmox_client.errors import ApiError, AuthenticationFailed
from proxmox_client.flows.call import Session, perform_raw
from proxmox_client.flows.effects import Flow

_log: Final = logging.getLogger("proxmox_client.learning")


@attrs.frozen
class LearntServer:
    """A node of the cluster, as the cluster describes it.

    Attributes:
        node: Its name.
        host: The address it is reached at within the cluster.
        fingerprint: SHA-256 of the certificate its API shows; empty where the cluster says none.
    """

    node: str
    host: str
    fingerprint: str


def learn_servers(session: Session) -> Flow[tuple[LearntServer, ...]]:
    """Ask for the other nodes (GET /cluster/status, GET /nodes)."""
    status = yield from perform_raw(session, "GET", "/cluster/status", {})
    nodes = yield from perform_raw(session, "GET", "/nodes", {})
    prints = {row.get("node"): str(row.get("ssl_fingerprint", "")) for row in _rows(nodes)}
    return tuple(
        LearntServer(str(row["name"]), str(row["ip"]), prints.get(row["name"], ""))
        for row in _rows(status)
        if row.get("type") == "node" and row.get("ip") and not row.get("local")
    )


def learn_first(session: Session) -> Flow[tuple[LearntServer, ...]]:
    """Learn before the first call, once; who may not ask goes on with the servers given.

    Raises:
        AuthenticationFailed: PVE refuses the credentials, as it would for the call.
        ConnectError: None of the servers given can be reached.
    """
    session.route.unlearnt = False
    done = False
    try:
        learnt = yield from learn_servers(session)
        done = True
        return learnt
    except AuthenticationFailed:
        raise
    except ApiError as error:
        done = True
        _log.info("the cluster does not tell its servers: %s", type(error).__name__)
        return ()
    finally:
        session.route.unlearnt = not done


def _rows(data: object) -> list[Mapping[str, Any]]:
    rows = cast("list[object]", data) if isinstance(data, list) else []
    return [cast("Mapping[str, Any]", row) for row in rows if isinstance(row, dict)]
