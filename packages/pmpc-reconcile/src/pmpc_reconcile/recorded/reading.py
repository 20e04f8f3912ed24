"""Read an object as recorded at a moment and write its manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, cast

import attrs

from pmpc_reconcile.documents.guests import guest_document
from pmpc_reconcile.documents.settings import (
    firewall_document,
    network_document,
    pool_document,
    sdn_document,
    storage_document,
    storage_secrets,
)
from pmpc_reconcile.documents.written import Written
from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.kinds import Shape, kind, options_of
from pmpc_reconcile.live import GuestObject, PoolObject
from pmpc_reconcile.live.firewall import level_of
from pmpc_reconcile.live.network import interfaces_of
from pmpc_reconcile.live.sdn import sdn_options, subnet_network
from pmpc_reconcile.recorded.whole import Whole
from pmpc_state import holds_fingerprint
from pmpc_state.filters import quoted

if TYPE_CHECKING:
    from pmpc_state import Resource, StateReader

_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "cluster": (
        "firewall-options", "firewall-rules", "firewall-ipset", "firewall-alias", "firewall-group",
    ),
    "node": ("node-firewall-options", "node-firewall-rules"),
    "guest": ("guest-firewall",),
    "Sdn": ("sdn-zone", "sdn-vnet", "sdn-controller"),
    "NodeNetwork": ("node-network",),
}  # fmt: skip
"""What an object consists of in the record, where it is more than one resource of its own kind."""


@attrs.frozen
class AsRecorded:
    """An object at a moment.

    Attributes:
        manifest: Its manifest.
        parts: What it was read from.
        left: What is left out because it is secret, or was never shown.
    """

    manifest: Written
    parts: tuple[Resource, ...]
    left: tuple[str, ...]

    @property
    def since(self) -> datetime | None:
        """Return since when every part is as it is."""
        return max((one.valid_from for one in self.parts if one.valid_from), default=None)


class Past:
    """One cluster as of a moment; None is now."""

    def __init__(self, reader: StateReader, cluster: str, moment: datetime | None) -> None:
        self.reader = reader
        self.cluster = cluster
        self.moment = moment

    def all(self, kind_name: str) -> tuple[Resource, ...]:
        """Return every resource of a kind.

        Raises:
            InputInvalid: One was never readable.
        """
        return tuple(map(_readable, self._listed(kind_name)))

    def one(self, kind_name: str, key: str) -> tuple[Resource, ...]:
        """Return the resource of a kind and key, if there was one.

        Raises:
            InputInvalid: It was never readable.
        """
        wanted = f"kind={quoted(kind_name)} and key={quoted(key)}"
        found = self.reader.find(self.cluster, wanted, at=self.moment).items
        return tuple(map(_readable, found))

    def unread(self, whole: Whole) -> tuple[str, ...]:
        """Return the sections of an object that no sync had read by then."""
        sections = _sections(whole)
        for run in self.reader.runs(self.cluster, limit=500):
            if self.moment is None or run.started_at <= self.moment:
                sections = tuple(one for one in sections if run.sections.get(one) != "ok")
            if not sections:
                break
        return sections

    def _listed(self, kind_name: str) -> tuple[Resource, ...]:
        if self.moment is None:
            return self.reader.resources(self.cluster, kind_name)
        return self.reader.at(self.cluster, self.moment, kind_name)

    def read(self, whole: Whole, name: str | None, *, is_gone: bool = False) -> AsRecorded | None:
        """Return an object; None if there was none.

        Args:
            whole: The object, which is no image.
            name: Its name among the manifests, if it has one.
            is_gone: It is not there any more, and the manifest is to make it again.

        Raises:
            InputInvalid: A part of it was never readable.
        """
        if whole.kind in _GUESTS:
            return self._guest(whole, name, is_gone=is_gone)
        return _READERS[whole.kind](self, whole, name)

    def _guest(self, whole: Whole, name: str | None, *, is_gone: bool) -> AsRecorded | None:
        parts = self.one(whole.recorded_kind, whole.key)
        if not parts:
            return None
        [found] = parts
        if str(found.config.get("template", 0)) in ("1", "True", "true"):
            raise InputInvalid(
                f"cannot write a manifest of {found.address}: it is a template, which manifests "
                "clone and do not manage"
            )
        of_kind = kind(whole.kind)
        shown, left = open_part(found.config)
        hidden = [key for key in shown if _is_secret(whole.kind, key)]
        config = {key: value for key, value in shown.items() if key not in hidden}
        member = f"{found.kind}/{found.key}"
        pools = (one.key for one in self._listed("pool") if member in one.config.get("members", ()))
        guest = GuestObject(
            vmid=int(found.key),
            guest=found.kind,
            node=found.node or "",
            config=config,
            running_config=config,
            digest="",
            running=found.status == "running",
            pool=next(pools, None),
        )
        manifest = guest_document(of_kind, name or found.name, guest, is_gone=is_gone, is_past=True)
        return AsRecorded(manifest, parts, (*left, *hidden))

    def storage(self, whole: Whole, name: str | None) -> AsRecorded | None:
        """Return a storage."""
        parts = self.one("storage", whole.key)
        if not parts:
            return None
        row, left = open_part(parts[0].config)
        hidden = storage_secrets(parts[0].config)
        return AsRecorded(storage_document(row), parts, tuple(dict.fromkeys((*left, *hidden))))

    def pool(self, whole: Whole, name: str | None) -> AsRecorded | None:
        """Return a pool; guests that are gone cannot be in it again and are left out."""
        parts = self.one("pool", whole.key)
        if not parts:
            return None
        config, left = open_part(parts[0].config)
        members = [str(one).partition("/")[::2] for one in config.get("members", ())]
        there = {
            one.key for each in ("qemu", "lxc") for one in self.reader.resources(self.cluster, each)
        }
        guests = {key for what, key in members if what != "storage"}
        pool = PoolObject(
            name=whole.key,
            comment=str(config.get("comment") or ""),
            guests=frozenset(int(key) for key in guests & there),
            storages=frozenset(key for what, key in members if what == "storage"),
        )
        gone = tuple(f"guest {key}, which is gone" for key in sorted(guests - there, key=int))
        return AsRecorded(pool_document(pool, name), parts, (*left, *gone))

    def sdn(self, whole: Whole, name: str | None) -> AsRecorded | None:
        """Return the cluster's networks."""
        objects: dict[str, dict[str, dict[str, Any]]] = {"controllers": {}, "zones": {},
                                                         "vnets": {}, "subnets": {}}  # fmt: skip
        parts: list[Resource] = []
        left: list[str] = []
        for word in ("controller", "zone", "vnet"):
            for one in self.all(f"sdn-{word}"):
                parts.append(one)
                config, hidden = open_part(one.config, one.key)
                left += hidden
                objects[f"{word}s"][one.key] = sdn_options(f"{word}s", config)
                for row in config.get("subnets", ()) if word == "vnet" else ():
                    subnet = {**row, "vnet": row.get("vnet") or one.key}
                    objects["subnets"][subnet_network(row)] = sdn_options("subnets", subnet)
        return AsRecorded(sdn_document(objects, name or "cluster"), tuple(parts), tuple(left))

    def network(self, whole: Whole, name: str | None) -> AsRecorded | None:
        """Return the network of a node."""
        found = [one for one in self.all("node-network") if one.key.startswith(f"{whole.of}/")]
        rows, left = _opened(found)
        document = network_document(whole.of, interfaces_of(rows), name)
        return AsRecorded(document, tuple(found), left) if found else None

    def firewall(self, whole: Whole, name: str | None) -> AsRecorded | None:
        """Return a level of the firewall."""
        if whole.scope == "guest":
            return self._guest_firewall(whole, name)
        at_node = whole.scope == "node"
        prefix, key = ("node-firewall", whole.of) if at_node else ("firewall", "cluster")
        options = self.one(f"{prefix}-options", key)
        rules = self.one(f"{prefix}-rules", key)
        named = {
            each: () if at_node else self.all(f"firewall-{each}")
            for each in ("alias", "ipset", "group")
        }
        parts = (*options, *rules, *named["alias"], *named["ipset"], *named["group"])
        if not parts:
            return None
        opened = {one.address: open_part(one.config, one.key) for one in parts}

        def rows(found: Iterable[Resource]) -> list[dict[str, Any]]:
            return [opened[one.address][0] for one in found]

        level = level_of(
            next(iter(rows(options)), _NOTHING),
            next(iter(rows(rules)), _NOTHING).get("entries", ()),
            rows(named["alias"]),
            [(row, row.get("members", ())) for row in rows(named["ipset"])],
            [(row, row.get("rules", ())) for row in rows(named["group"])],
        )
        left = tuple(path for _, hidden in opened.values() for path in hidden)
        return AsRecorded(firewall_document(whole.key, level, name), parts, left)

    def _guest_firewall(self, whole: Whole, name: str | None) -> AsRecorded | None:
        parts = tuple(
            one
            for guest in ("qemu", "lxc")
            for one in self.one("guest-firewall", f"{guest}/{whole.of}")
        )
        if not parts:
            return None
        config, left = open_part(parts[0].config)
        level = level_of(
            config["options"],
            config["rules"],
            config["aliases"].values(),
            [(row, row.get("members", ())) for row in config["ipsets"].values()],
            (),
        )
        return AsRecorded(firewall_document(whole.key, level, name), parts, left)


_GUESTS: Final = ("VirtualMachine", "Container")
_READERS: Final[Mapping[str, Callable[[Past, Whole, str | None], AsRecorded | None]]] = {
    "Storage": Past.storage,
    "Pool": Past.pool,
    "Sdn": Past.sdn,
    "NodeNetwork": Past.network,
    "Firewall": Past.firewall,
}


def open_part(config: Mapping[str, Any], at: str = "") -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what of a configuration is no secret, and the paths of the rest.

    Args:
        config: As recorded, with fingerprints in place of secrets.
        at: What the paths begin with.
    """
    left: list[str] = []

    def opened(value: Any, path: str) -> Any:
        if isinstance(value, Mapping):
            entries = cast("Mapping[str, Any]", value)
            inside = {k: opened(v, f"{path}.{k}" if path else k) for k, v in entries.items()}
            return {name: entry for name, entry in inside.items() if entry is not _HIDDEN}
        if isinstance(value, list | tuple):
            rows = [opened(each, path) for each in cast("list[Any]", value)]
            return [each for each in rows if each is not _HIDDEN]
        if holds_fingerprint(value):
            left.append(path)
            return _HIDDEN
        return value

    return cast("dict[str, Any]", opened(config, at)), tuple(left)


_HIDDEN: Final = object()
_NOTHING: Final[Mapping[str, Any]] = {}


def _opened(found: Iterable[Resource]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    opened = [open_part(one.config, one.key) for one in found]
    return [config for config, _ in opened], tuple(path for _, left in opened for path in left)


def _is_secret(kind_name: str, key: str) -> bool:
    option = options_of(kind(kind_name)).find(key)
    return option is not None and option.shape is Shape.SECRET


def _sections(whole: Whole) -> tuple[str, ...]:
    if whole.kind == "Firewall":
        return _SECTIONS[whole.scope]
    return _SECTIONS.get(whole.kind, ())


def _readable(found: Resource) -> Resource:
    if found.valid_from is None:
        why = f": {found.reason}" if found.reason else ""
        raise InputInvalid(
            f"cannot write a manifest of {found.address}: its configuration was never readable{why}"
        )
    return found
