"""Asking for consoles: VNC, terminals and SPICE of machines, containers and nodes.

The console of a guest is opened by the node that is asked, not by the node of the guest, so its
websocket has to go to the same server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import attrs

from proxmox_client.errors import NotFound, RequestInvalid, VersionUnsupported
from proxmox_client.flows.call import Session, ask, perform_raw
from proxmox_client.flows.effects import Flow, sleep
from proxmox_client.flows.guests import is_elsewhere, locate
from proxmox_client.flows.taskflow import read_started
from proxmox_client.flows.versions import known_version
from proxmox_client.values.consoleticket import ConsoleKind, ConsoleTicket, SpiceTicket
from proxmox_client.values.guestplace import GuestPlace
from proxmox_client.values.upid import Upid
from proxmox_client.wire.params import build_raw_request
from proxmox_client.wire.request import Request

TOKENS_SINCE: Final = (9, 1)
"""Terminals ask `POST /access/vncticket` about their viewer since then; what they asked before
knows users, not tokens."""
_PAUSE: Final = 1.0
_FOLLOW: Final = 3
_NO_PARAMS: Mapping[str, object] = {}


@attrs.frozen
class Shown:
    """What a console shows.

    Attributes:
        guest: A guest, by number or name.
        node: Or a node's own shell.
    """

    guest: int | str | None = None
    node: str | None = None


def shown(guest: int | str | None, node: str | None) -> Shown:
    """Return what a console is to show.

    Raises:
        RequestInvalid: Both or neither were given.
    """
    if (guest is None) is (node is None):
        raise RequestInvalid("console", "say either a guest or a node")
    return Shown(guest, node)


def websocket_request(ticket: ConsoleTicket) -> Request:
    """Return the request, without credentials, that opens a console's websocket."""
    path = ticket.websocket_path
    params = {"port": ticket.port, "vncticket": ticket.ticket}
    return build_raw_request("GET", path, params)


def vnc(session: Session, shown: Shown) -> Flow[ConsoleTicket]:
    """Open a VNC server (POST …/vncproxy, …/vncshell). Works with tokens.

    Raises:
        RequestInvalid: There is no such guest.
        ApiError: As everywhere.
    """

    def prepare(place: GuestPlace | None) -> tuple[str, Mapping[str, object]]:
        if place is None:
            return "/vncshell", {"websocket": True}
        own = {"generate-password": True} if place.kind == "qemu" else {}
        return "/vncproxy", {"websocket": True, **own}

    path, data = yield from _open(session, shown, prepare)
    return _ticket(session, "vnc", path, data)


def terminal(
    session: Session, shown: Shown, params: Mapping[str, object] = _NO_PARAMS
) -> Flow[ConsoleTicket]:
    """Open a terminal (POST …/termproxy). With an API token only since PVE 9.1.

    Args:
        session: Who asks.
        shown: What to show.
        params: By PVE's names: `serial` of a machine, `cmd` of a node.

    Raises:
        VersionUnsupported: There is a token and the server is older; nothing was opened.
        RequestInvalid: There is no such guest.
        ApiError: As everywhere.
    """
    if session.token is not None and session.server is not None:
        version = yield from known_version(session.server, partial(ask, session))
        if version and _numbers(version) < TOKENS_SINCE:
            raise VersionUnsupported(
                "termproxy",
                f"a terminal with an API token needs PVE 9.1, this server is {version}. Log in "
                "with a password instead, or take the VNC console, which tokens can use",
            )
    path, data = yield from _open(session, shown, lambda place: ("/termproxy", params))
    return _ticket(session, "terminal", path, data)


def spice(session: Session, shown: Shown, proxy: str | None = None) -> Flow[SpiceTicket]:
    """Open a SPICE server (POST …/spiceproxy, …/spiceshell). Works with tokens.

    Args:
        session: Who asks.
        shown: What to show; a machine needs the display `qxl` or `virtio-gl` for that.
        proxy: Name under which the viewer reaches the node; what PVE proposes where None.
    """

    def prepare(place: GuestPlace | None) -> tuple[str, Mapping[str, object]]:
        return "/spiceshell" if place is None else "/spiceproxy", {"proxy": proxy}

    path, data = yield from _open(session, shown, prepare)
    return SpiceTicket(path, {str(name): str(value) for name, value in data.items()})


def _open(
    session: Session,
    shown: Shown,
    prepare: Callable[[GuestPlace | None], tuple[str, Mapping[str, object]]],
) -> Flow[tuple[str, dict[str, Any]]]:
    """Send the call to where it belongs; a node that has lost the guest refuses, so it follows."""
    for left in reversed(range(_FOLLOW)):
        place = None if shown.guest is None else (yield from locate(session, shown.guest))
        path = f"/nodes/{shown.node}" if place is None else place.path
        suffix, params = prepare(place)
        try:
            data: dict[str, Any] = yield from perform_raw(session, "POST", path + suffix, params)
        except NotFound as error:
            if place is None or not left or not is_elsewhere(error):
                raise
        else:
            return path, data
        yield from sleep(_PAUSE)
    raise AssertionError("the last round returns or raises")


def _ticket(
    session: Session, kind: ConsoleKind, path: str, data: Mapping[str, Any]
) -> ConsoleTicket:
    ticket = str(data["ticket"])
    return ConsoleTicket(
        kind,
        path,
        str(data.get("user") or session.who),
        ticket,
        int(data["port"]),
        str(data.get("password") or ticket) if kind == "vnc" else "",
        _task_of(data),
        session.route.current,
    )


def _task_of(data: Mapping[str, Any]) -> Upid | None:
    try:
        return read_started(data)
    except ValueError:  # no UPID: the console is there all the same
        return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
