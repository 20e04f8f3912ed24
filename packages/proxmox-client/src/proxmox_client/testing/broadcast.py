"""What the nodes tell each other every ten seconds: the age of /cluster/resources and /nodes."""

from __future__ import annotations

import math
from typing import Any

import attrs

from proxmox_client.testing.guests.readings import summary
from proxmox_client.testing.state import Guest, Node

PERIOD = 10.0
FORGOTTEN_AFTER = 300.0
"""Seconds after which the others no longer believe what a silent node said last."""


class Broadcast:
    """Keeps what each node last said about its guests.

    Nothing happens between events and requests, so it is enough to look just before each of them
    whether a tick went by, and to take the picture then.
    """

    def __init__(self, nodes: dict[str, Node], guests: dict[int, Guest]) -> None:
        self._nodes = nodes
        self._guests = guests
        self._pictures: dict[str, dict[int, Guest]] = {}
        self._rows: dict[str, dict[int, dict[str, Any]]] = {}
        self._running: dict[str, int] = {}
        self._next = 0.0

    def until(self, now: float) -> None:
        """Take the pictures that fell due up to now."""
        if now < self._next:
            return
        due: set[str] = set()
        for node in self._nodes.values():
            tick = _tick(node, now)
            awake = node.online and node.away is None and tick >= node.silent_until - 0.001
            if tick > node.broadcast_at and awake:
                node.broadcast_at = tick
                self._rows.pop(node.name, None)
                self._running.pop(node.name, None)
                due.add(node.name)
        if due:
            self._take(due)
        self._next = min(_tick(node, now) + PERIOD for node in self._nodes.values())

    def _take(self, due: set[str]) -> None:
        """Take the pictures of some nodes; one that still shows its guest is kept."""
        old = {name: self._pictures.get(name, {}) for name in due}
        new: dict[str, dict[int, Guest]] = {name: {} for name in due}
        for guest in self._guests.values():
            if guest.node in due:
                picture = old[guest.node].get(guest.vmid)
                if picture is None or picture != guest:
                    picture = _picture(guest)
                new[guest.node][guest.vmid] = picture
        for name, pictures in old.items():
            for vmid in pictures.keys() - new[name].keys():
                if self._is_between(name, pictures[vmid]):
                    new[name][vmid] = pictures[vmid]
        self._pictures |= new

    def _is_between(self, name: str, picture: Guest) -> bool:
        """Whether a guest has left a node and its new one has not said anything of it yet."""
        guest = self._guests.get(picture.vmid)
        return (
            guest is not None
            and guest.born == picture.born
            and guest.node != name
            and guest.vmid not in self._pictures.get(guest.node, {})
        )

    def reschedule(self) -> None:
        """Look at the nodes' rasters anew: one of them has changed."""
        self._next = 0.0

    def saved(self) -> dict[str, list[Any]]:
        """Return the pictures of each node; a guest that still looks like it, by its number."""
        return {
            node: [
                vmid if self._guests.get(vmid) == picture else picture
                for vmid, picture in pictures.items()
            ]
            for node, pictures in self._pictures.items()
        }

    def restore(self, saved: dict[str, list[Any]]) -> None:
        """Take up saved pictures."""
        for node, entries in saved.items():
            pictures = [
                entry if isinstance(entry, Guest) else _picture(self._guests[entry])
                for entry in entries
            ]
            self._pictures[node] = {picture.vmid: picture for picture in pictures}
        self._rows.clear()
        self._running.clear()
        self._next = 0.0

    def running(self, node: str) -> int:
        """Return how many guests ran on a node when it last said so."""
        if node not in self._running:
            pictures = self._pictures.get(node, {})
            self._running[node] = sum(picture.running for picture in pictures.values())
        return self._running[node]

    def tell(self, guest: Guest) -> None:
        """Let the others know a guest at once, as if it had been there before the last tick."""
        self._pictures.setdefault(guest.node, {})[guest.vmid] = _picture(guest)
        self._rows.pop(guest.node, None)
        self._running.pop(guest.node, None)

    def row(self, guest: Guest, now: float) -> dict[str, Any] | None:
        """Return what was last said about a guest, by whichever node; None if nothing was.

        A guest that has just moved is still known from its old node.
        """
        for name in (guest.node, *self._nodes):
            if (row := self._rows_of(name).get(guest.vmid)) is not None:
                if now - self._nodes[name].broadcast_at > FORGOTTEN_AFTER:
                    return None
                return row
        return None

    def _rows_of(self, name: str) -> dict[int, dict[str, Any]]:
        rows = self._rows.get(name)
        if rows is None:
            node = self._nodes[name]
            rows = {
                vmid: _row(picture, node) for vmid, picture in self._pictures.get(name, {}).items()
            }
            self._rows[name] = rows
        return rows


def _picture(guest: Guest) -> Guest:
    return attrs.evolve(guest, config=dict(guest.config))


def _tick(node: Node, now: float) -> float:
    return math.floor((now - node.phase) / PERIOD) * PERIOD + node.phase


def _row(picture: Guest, node: Node) -> dict[str, Any]:
    row = summary(picture, now=node.broadcast_at, host_cpus=node.cpus)
    if picture.kind == "qemu" and picture.status == "running":
        row["status"] = picture.qmpstatus
    return row
