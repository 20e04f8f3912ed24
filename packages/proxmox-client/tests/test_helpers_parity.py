"""What one colour can, the other can too, with the same parameters; and everything is explained."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest

import proxmox_client
from proxmox_client import (
    AsyncClient,
    AsyncConsole,
    AsyncGuest,
    AsyncGuestAgent,
    AsyncGuestSnapshots,
    AsyncTask,
    AsyncVolumes,
    Client,
    Console,
    Guest,
    GuestAgent,
    GuestSnapshots,
    Task,
    Volumes,
)

PAIRS = (
    (Client, AsyncClient),
    (Guest, AsyncGuest),
    (GuestSnapshots, AsyncGuestSnapshots),
    (GuestAgent, AsyncGuestAgent),
    (Volumes, AsyncVolumes),
    (Console, AsyncConsole),
    (Task, AsyncTask),
)
OWN = {
    Client: {"close"},
    AsyncClient: {"aclose", "open_websocket"},
    AsyncConsole: {"vnc", "terminal"},  # streams are asyncio's
}
pairs = pytest.mark.parametrize(("blocking", "awaiting"), PAIRS, ids=lambda kind: kind.__name__)


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def names_of(kind: type, name: str) -> list[tuple[str, object]]:
    found = inspect.signature(getattr(kind, name)).parameters.values()
    return [(parameter.name, parameter.default) for parameter in found]


@pairs
def test_same_names(blocking: type, awaiting: type) -> None:
    assert public(blocking) - OWN.get(blocking, set()) == public(awaiting) - OWN.get(
        awaiting, set()
    )


@pairs
def test_same_parameters(blocking: type, awaiting: type) -> None:
    for name in public(blocking) & public(awaiting):
        if callable(getattr(blocking, name)):
            assert names_of(blocking, name) == names_of(awaiting, name), name
    construction = ("transport", "sleep")  # each colour's own
    both = [
        [p for p in inspect.signature(kind).parameters if p not in (*construction, "client")]
        for kind in (blocking, awaiting)
    ]
    assert both[0] == both[1]


def everything() -> Iterator[tuple[str, object]]:
    for name in dir(proxmox_client):
        value = getattr(proxmox_client, name)
        if name.startswith("_") or not getattr(value, "__module__", "").startswith("proxmox_"):
            continue
        yield name, value
        if inspect.isclass(value):
            for member, found in vars(value).items():
                if not member.startswith("_") and (
                    inspect.isfunction(found) or isinstance(found, property)
                ):
                    yield f"{name}.{member}", found


def test_every_public_name_is_explained() -> None:
    silent = [name for name, value in everything() if not inspect.getdoc(value)]
    assert silent == []
