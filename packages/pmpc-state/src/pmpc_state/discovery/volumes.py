"""Volumes: what the storages hold.

A volume of a shared storage is known by its volid, one of a local storage by `node/volid`: the
same volid on two nodes is two volumes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from pmpc_state.discovery.granted import privileges_of
from pmpc_state.discovery.look import Listing, Look, failure, is_hopeless, offline
from pmpc_state.discovery.volumeaccess import is_shown
from pmpc_state.values.inventory import Cause, ObservedItem, Section, SectionFailure
from proxmox_client import PveError

_SECTION = "content"
_CONFIG = (
    "content",
    "encrypted",
    "format",
    "notes",
    "parent",
    "protected",
    "size",
    "subtype",
    "vmid",
)
_WRITTEN_TO = ("images", "rootdir")
"""Content whose file time moves with every write of the guest: volatile, not history."""
_HIDDEN = "not listed; Datastore.Allocate on its storage would show why"
"""PVE leaves out of its lists what a token may not see."""


@attrs.frozen
class Scope:
    """One place volumes are listed from.

    Attributes:
        storage: The storage.
        node: Where to ask.
        shared: Whether every node would list the same.
    """

    storage: str
    node: str
    shared: bool

    def __str__(self) -> str:
        return f"storage {self.storage}" + ("" if self.shared else f" on {self.node}")

    def key(self, volid: str) -> str:
        """Return the key of a volume listed here."""
        return volid if self.shared else f"{self.node}/{volid}"

    def holds(self, key: str) -> bool:
        """Say whether a volume of that key would be listed here."""
        node, storage = place_of(key)
        return storage == self.storage and node == (None if self.shared else self.node)


def place_of(key: str) -> tuple[str | None, str]:
    """Return the node (None if shared) and the storage a volume's key names."""
    head = key.partition(":")[0]
    node, slash, storage = head.rpartition("/")
    return (node if slash else None), storage


async def look_at_volumes(look: Look, storages: Section) -> Section:
    """List the volumes of every storage that is available, at a node that answers."""
    available, failures = scopes_of(look.listing)
    scopes = [scope for scope in available if look.wants(_SECTION, str(scope))]
    passed = [scope for scope in available if scope not in scopes]
    found = await asyncio.gather(*(_volumes(look, scope) for scope in scopes))
    items: list[ObservedItem] = []
    read: list[Scope] = []
    for scope, (volumes, problem) in zip(scopes, found, strict=True):
        if problem is None:
            read.append(scope)
            items.extend(volumes)
        else:
            failures.append(problem)
    missing = look.missing(_SECTION, (item.key for item in items))
    untouched = frozenset(key for key in missing if any(one.holds(key) for one in passed))
    absent = [
        key for key in missing if key not in untouched and _is_absent(look, storages, key, read)
    ]
    gone = await _proven(look, storages, absent)
    reasons = [(entry.scope, entry.message) for entry in failures]
    unseen = {key: _why(key, reasons) for key in missing if key not in gone | untouched}
    unseen.update((key, _HIDDEN) for key in absent if key not in gone)
    return Section(
        _SECTION,
        tuple(items),
        gone=gone,
        unseen=unseen,
        failures=tuple(failures),
        untouched=untouched,
        read=frozenset(str(scope) for scope in read),
    )


def scopes_of(listing: Listing) -> tuple[list[Scope], list[SectionFailure]]:
    """Return where volumes can be listed, and why not elsewhere."""
    scopes: dict[tuple[str, str | None], Scope] = {}
    failures: list[SectionFailure] = []
    entries = sorted(listing.of_type("storage"), key=lambda one: str(one.get("id")))
    unavailable: list[Scope] = []
    for entry in entries:
        scope = Scope(str(entry["storage"]), str(entry["node"]), bool(entry.get("shared")))
        if listing.is_online(scope.node) and entry.get("status") == "available":
            scopes.setdefault((scope.storage, None if scope.shared else scope.node), scope)
        else:
            unavailable.append(scope)
    for scope in unavailable:
        if (scope.storage, None if scope.shared else scope.node) in scopes:
            continue
        if listing.is_online(scope.node):
            why = SectionFailure(_SECTION, str(scope), Cause.INACTIVE, "the storage is not active")
        else:
            why = SectionFailure(_SECTION, str(scope), Cause.OFFLINE, offline(scope.node))
        if why not in failures:
            failures.append(why)
    return list(scopes.values()), failures


async def _volumes(
    look: Look, scope: Scope
) -> tuple[tuple[ObservedItem, ...], SectionFailure | None]:
    try:
        entries = await look.ask(look.pve.nodes(scope.node).storage(scope.storage).content.get())
    except PveError as error:
        if is_hopeless(error):
            raise
        return (), failure(_SECTION, str(scope), error)
    by_key = {item.key: item for item in (_volume(scope, one.to_dict()) for one in entries)}
    return tuple(by_key.values()), None


def _volume(scope: Scope, entry: Mapping[str, Any]) -> ObservedItem:
    config = {name: entry[name] for name in _CONFIG if entry.get(name) is not None}
    config.update(volid=entry["volid"], storage=scope.storage)
    facts = {name: entry[name] for name in ("used", "verification") if entry.get(name) is not None}
    if entry.get("ctime") is not None:
        (facts if entry.get("content") in _WRITTEN_TO else config)["ctime"] = entry["ctime"]
    return ObservedItem(
        _SECTION,
        scope.key(str(entry["volid"])),
        {"config": config},
        node=None if scope.shared else scope.node,
        facts=facts,
    )


async def _proven(look: Look, storages: Section, absent: Iterable[str]) -> frozenset[str]:
    """Return what is gone of that which no list shows any more, though its place was listed."""
    of_gone = {key for key in absent if _has_no_place(look, storages, key)}
    others = [key for key in absent if key not in of_gone]
    if not others:
        return frozenset(of_gone)
    privileges = await privileges_of(look)
    return frozenset(of_gone).union(key for key in others if is_shown(_volid(key), privileges))


def _volid(key: str) -> str:
    return key.partition("/")[2] if place_of(key)[0] is not None else key


def _has_no_place(look: Look, storages: Section, key: str) -> bool:
    node, storage = place_of(key)
    return storage in storages.gone or (node is not None and node not in look.listing.nodes)


def _is_absent(look: Look, storages: Section, key: str, read: Iterable[Scope]) -> bool:
    node, storage = place_of(key)
    if _has_no_place(look, storages, key) or any(scope.holds(key) for scope in read):
        return True
    # The storage became shared or local: what it holds is listed under the other kind of key.
    return any(scope.storage == storage and scope.shared != (node is None) for scope in read)


def _why(key: str, reasons: Iterable[tuple[str, str]]) -> str:
    node, storage = place_of(key)
    scope = f"storage {storage}" + ("" if node is None else f" on {node}")
    for failed, message in reasons:
        if failed == scope:
            return message
    return f"{scope} is not listed"
