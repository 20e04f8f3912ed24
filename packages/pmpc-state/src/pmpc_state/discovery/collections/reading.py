"""Reading collections: each fails by itself, and nothing is believed gone that may be hidden."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias, cast
from urllib.parse import quote

import attrs

from pmpc_state.discovery.collections.ceph import node_with_ceph
from pmpc_state.discovery.collections.guests import look_at_guest_settings
from pmpc_state.discovery.collections.table import Collection, Shape
from pmpc_state.discovery.costs import read_as
from pmpc_state.discovery.granted import Privileges, holds_below, privileges_of
from pmpc_state.discovery.look import Look, failure, is_hopeless, offline
from pmpc_state.values.inventory import Cause, ObservedItem, Section, SectionFailure
from proxmox_client import PveError, schema

_CLUSTER = "cluster"
_ALL = frozenset({""})
_NONE: frozenset[str] = frozenset()


async def look_at_collections(
    look: Look, collections: Iterable[Collection], gone_guests: Iterable[str] = ()
) -> tuple[Section, ...]:
    """Read collections, a section each.

    Args:
        look: The look this is part of.
        collections: What to read.
        gone_guests: Addresses of guests that are proven to be gone.
    """
    asked = tuple(collections)
    gone = frozenset(gone_guests)
    of_guests = [
        await read_as(one.kind, look_at_guest_settings(look, one, gone))
        for one in asked
        if one.is_per_guest
    ]
    listed = await _lists(look, [one for one in asked if not one.is_per_guest])
    return (*listed, *of_guests)


async def _lists(look: Look, everything: list[Collection]) -> tuple[Section, ...]:
    wanted = [one for one in everything if look.wants(one.kind)]
    passed = tuple(look.unread(one.kind) for one in everything if one not in wanted)
    if not wanted:
        return passed
    privileges = await privileges_of(look)
    release = str((await look.ask(look.pve.version.get())).version)
    there, absent = _sorted_by_release(look, wanted, release)
    ceph = await node_with_ceph(look) if any(one.is_ceph for one in there) else None
    if ceph is None:
        why = "no node that answers says that it has Ceph"
        absent += [_unsupported(look, one, why) for one in there if one.is_ceph]
        there = [one for one in there if not one.is_ceph]
    read = await asyncio.gather(
        *(read_as(one.kind, _collection(look, one, privileges, ceph)) for one in there)
    )
    return (*read, *absent, *passed)


def _sorted_by_release(
    look: Look, wanted: Iterable[Collection], release: str
) -> tuple[list[Collection], list[Section]]:
    """Return what the server has, and sections of what it has not."""
    there: list[Collection] = []
    absent: list[Section] = []
    for one in wanted:
        if one.until is not None and int(release.partition(".")[0]) > one.until:
            absent.append(attrs.evolve(look.unread(one.kind), read=_ALL))
        elif _lacks(release, one.path):
            absent.append(_unsupported(look, one, f"PVE {release} does not have it"))
        else:
            there.append(one)
    return there, absent


def _lacks(release: str, path: str) -> bool:
    """Say whether a release is known not to have a path that others have."""
    version = ".".join(release.split(".")[:2])
    if version not in schema.versions():
        return False
    return _has(path, None) and not _has(path, version)


def _has(path: str, version: str | None) -> bool:
    try:
        schema.operation("GET", path, version)
    except KeyError:
        return False
    return True


def _unsupported(look: Look, wanted: Collection, why: str) -> Section:
    problem = SectionFailure(wanted.kind, "all", Cause.UNSUPPORTED, why)
    unseen = dict.fromkeys(look.missing(wanted.kind, ()), why)
    return Section(wanted.kind, (), unseen=unseen, failures=(problem,), read=_ALL)


async def _collection(
    look: Look, wanted: Collection, privileges: Privileges, ceph: str | None
) -> Section:
    scopes: tuple[str | None, ...] = tuple(look.listing.nodes) if wanted.is_per_node else (None,)
    if wanted.is_thinned and not sees_all(wanted, privileges):
        why = f"shown in part only; {wanted.privilege} on {wanted.root} would show all of it"
        thin = SectionFailure(wanted.kind, "all", Cause.PERMISSION, why)
        return Section(
            wanted.kind, (), unseen=dict.fromkeys(look.missing(wanted.kind, ()), why),
            failures=(thin,), read=_ALL,
        )  # fmt: skip
    parts = await asyncio.gather(*(_part(look, wanted, node, ceph) for node in scopes))
    items = tuple(item for found, _ in parts for item in found)
    failures = tuple(problem for _, problem in parts if problem is not None)
    read = {node for node, (_, problem) in zip(scopes, parts, strict=True) if problem is None}
    missing = look.missing(wanted.kind, (item.key for item in items))
    gone: set[str] = set()
    unseen: dict[str, str] = {}
    shows_all = wanted.shape is not Shape.ENTRIES or sees_all(wanted, privileges)
    if wanted.is_filtered and not (shows_all or failures):
        message = (
            f"shows what this token may see; {wanted.privilege} on {wanted.root} would show all"
        )
        failures = (SectionFailure(wanted.kind, "hidden", Cause.HIDDEN, message),)
    for key in missing:
        node = key.partition("/")[0] if wanted.is_per_node else None
        if node is not None and node not in look.listing.nodes:
            gone.add(key)
        elif node not in read:
            unseen[key] = next((one.message for one in failures), "not read")
        elif shows_all:
            gone.add(key)
        else:
            unseen[key] = f"not listed; {wanted.privilege} on {wanted.root} would show why"
    final = (
        Cause.PERMISSION,
        Cause.HIDDEN,
        Cause.UNSUPPORTED,
    )  # asking again soon would say the same
    answered = all(one.cause in final for one in failures)
    return Section(
        wanted.kind, items, frozenset(gone), unseen, failures, read=_ALL if answered else _NONE
    )


def sees_all(wanted: Collection, privileges: Privileges) -> bool:
    """Say whether a collection's list shows everything."""
    return holds_below(privileges, wanted.privilege, wanted.root)


Part = tuple[tuple[ObservedItem, ...], SectionFailure | None]


async def _part(look: Look, wanted: Collection, node: str | None, ceph: str | None) -> Part:
    scope = "all" if node is None else f"node {node}"
    if node is not None and not look.listing.is_online(node):
        return (), SectionFailure(wanted.kind, scope, Cause.OFFLINE, offline(node))
    path = wanted.path.replace("{node}", node or ceph or "")
    try:
        answer = await look.ask(look.pve.request("GET", path, wanted.params))
        entries = list(_entries(wanted, answer, node))
        if wanted.inside:
            entries = await asyncio.gather(*(_inside(look, wanted, path, one) for one in entries))
    except PveError as error:
        if is_hopeless(error):
            raise
        return (), _explained(wanted, failure(wanted.kind, scope, error))
    return tuple(item(wanted, key, config, node) for key, config in entries), None


def _explained(wanted: Collection, problem: SectionFailure) -> SectionFailure:
    if problem.cause is not Cause.PERMISSION:
        return problem
    hint = f"{problem.message}; {wanted.privilege} on {wanted.root} would show it"
    # PVE shows some settings only to who may change them: a token that reads is as it should be.
    reads = wanted.privilege.endswith(".Audit")
    return attrs.evolve(problem, message=hint, cause=problem.cause if reads else Cause.HIDDEN)


Json: TypeAlias = "dict[str, Json] | list[Json] | str | float | None"
Entry = tuple[str, dict[str, Any]]


def _entries(wanted: Collection, answer: Any, node: str | None) -> Iterator[Entry]:
    prefix = "" if node is None else f"{node}/"
    if wanted.shape is Shape.DOCUMENT:
        yield node or _CLUSTER, dict(answer or {})
    elif wanted.shape is Shape.SEQUENCE:
        entries = [_clean(wanted, entry) for entry in answer or ()]
        yield node or _CLUSTER, {"entries": entries}
    else:
        for entry in _listed(wanted, answer):
            name = " ".join(str(entry.get(field, "")) for field in wanted.key)
            if wanted.nested is None:
                shown = wanted.only or entry
                yield prefix + name, {field: entry[field] for field in shown if field in entry}
                continue
            field, inner = wanted.nested
            for part in entry.get(field) or ():
                yield f"{name}!{part[inner]}", dict(part)


def _listed(wanted: Collection, answer: Any) -> list[dict[str, Any]]:
    if wanted.within is None:
        return list(answer or [])
    whole: dict[str, Any] = answer or {}
    return list(whole.get(wanted.within) or [])


async def _inside(look: Look, wanted: Collection, path: str, entry: Entry) -> Entry:
    key, config = entry
    page = f"{path}/{quote(key, safe='')}"
    found = await asyncio.gather(
        *(look.ask(look.pve.request("GET", f"{page}{suffix}")) for _, suffix in wanted.inside)
    )
    whole = dict(config)
    for (name, _), answer in zip(wanted.inside, found, strict=True):
        if name:
            whole[name] = _cleaned(answer or [], ("digest", *wanted.drop))
        else:
            whole.update(answer or {})
    return key, whole


def _clean(wanted: Collection, entry: Mapping[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", _cleaned(dict(entry), ("digest", *wanted.drop)))


def _cleaned(value: Json, left_out: tuple[str, ...]) -> Json:
    """Leave fields out, also of what is inside."""
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if name not in left_out}
        return {name: _cleaned(inner, left_out) for name, inner in kept.items()}
    if isinstance(value, list):
        return [_cleaned(inner, left_out) for inner in value]
    return value


def item(wanted: Collection, key: str, config: Mapping[str, Any], node: str | None) -> ObservedItem:
    """Return an entry of a collection as an object, in one spelling."""
    settings: dict[str, object] = _clean(wanted, config)
    for name in wanted.secrets:
        if settings.get(name) is not None:
            settings[name] = {"secret": settings[name]}
    for name in wanted.sets:
        listed = settings.get(name)
        if isinstance(listed, str):
            settings[name] = ",".join(sorted(filter(None, listed.split(","))))
    return ObservedItem(wanted.kind, key, {"config": settings}, node=node)
