"""Typed read models: their values, the filters over them and the SQL views say the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, assert_type, get_args, get_origin

import attrs
import pytest
from attrs.exceptions import FrozenInstanceError
from sqlalchemy import create_engine, inspect, text

from pmpc_state import COLLECTIONS, KINDS, SETTINGS, FilterInvalid, NotRecorded, Page, State
from pmpc_state.filters import FIELDS, FieldType, quoted
from pmpc_state.filters.fields import Place
from pmpc_state.filters.tables import Declared, declared
from pmpc_state.readmodels import (
    MODELS,
    Container,
    HaResource,
    NotificationEndpoint,
    ReadModel,
    Storage,
    User,
    VirtualMachine,
    field_table,
    model_of,
)
from pmpc_state.readmodels.guests import Disk
from pmpc_state.readmodels.reading import convert
from pmpc_state.testing import Recorder
from proxmox_client import schema
from proxmox_client.options import NetQemu, OptionValue, Size
from proxmox_client.testing.clock import VirtualClock

KEYS = {"qemu": ("100", "101", "102"), "lxc": ("200", "201", "202")}
VIEWS: Mapping[str, tuple[str, ...]] = {
    "nodes": ("node",),
    "vms": ("qemu",),
    "containers": ("lxc",),
    "storages": ("storage",),
    "volumes": ("content",),
    "pools": ("pool",),
    "networks": ("node-network",),
    "users": ("user",),
    "tokens": ("token",),
    "user_groups": ("group",),
    "roles": ("role",),
    "acl": ("acl",),
    "realms": ("realm",),
    "cluster_options": ("datacenter-options",),
    "firewall": (
        "firewall-options", "firewall-ipset", "firewall-alias", "firewall-group",
        "node-firewall-options", "guest-firewall",
    ),
    "sdn": tuple(kind for kind in SETTINGS if kind.startswith("sdn-")),
    "ha": ("ha-resource", "ha-rule", "ha-group"),
    "jobs": ("backup-job", "replication-job", "realm-sync-job"),
    "mappings": ("mapping-pci", "mapping-usb", "mapping-dir"),
    "notifications": tuple(kind for kind in SETTINGS if kind.startswith("notification-")),
    "second_factors": ("tfa",),
    "vnet_firewalls": ("vnet-firewall",),
    "node_dns": ("node-dns",),
    "node_hosts": ("node-hosts",),
    "node_times": ("node-time",),
    "node_options": ("node-config",),
    "certificates": ("node-certificate",),
    "package_repositories": ("node-repositories",),
    "subscriptions": ("node-subscription",),
    "disks": ("node-disk",),
    "directories": ("node-directory",),
    "volume_groups": ("node-lvm",),
    "thin_pools": ("node-lvmthin",),
    "zfs_pools": ("node-zfs",),
    "corosync_nodes": ("corosync-node",),
    "corosync": ("corosync-totem",),
    "ceph_flags": ("ceph-flag",),
    "ceph_pools": ("ceph-pool",),
    "ceph_filesystems": ("ceph-fs",),
    "ceph_daemons": ("ceph-mon", "ceph-mgr", "ceph-mds",),
    "ceph_config": ("ceph-config",),
    "metric_servers": ("metric-server",),
    "acme_accounts": ("acme-account",),
    "acme_plugins": ("acme-plugin",),
    "cpu_models": ("cpu-model",),
}  # fmt: skip
OTHER_VIEWS = {
    "resources": "whatever its kind is: kind, key, name, node and status",
    "guest_snapshots": "a row for each snapshot: the entries of `snapshots`",
    "firewall_rules": "a row for each rule: the entries of `rules`, in PVE's option names",
    "tasks": "values.TaskRecord",
    "changes": "values.RecordedChange",
    "samples": "values.Point",
}
"""Views that do not show resources of a kind, and what they show."""


_CALLED: Mapping[str, tuple[str, ...]] = {"ha-group": ("group",)}
"""What PVE calls an entry's name where the model has another word."""
_LISTS = {"pool": ("members",)}
"""What is recorded as a list, never as a text."""


def _sample(one: Declared, *, as_text: bool) -> Any:
    if one.type is str:
        return f"{one.name} 1"
    if get_origin(one.type) is tuple and get_args(one.type)[0] is not str:
        return [{"x": 1}, {"y": "z"}]
    samples: dict[Any, tuple[Any, Any]] = {
        int: (7, "8"),
        float: (1.5, "2.5"),
        bool: (True, "0"),
        tuple: (["a", "b"], "c,d"),
    }
    known = samples.get(get_origin(one.type) or one.type)
    return {"x": {"y": 1}} if known is None else known[as_text]


def _config(kind: str, key: str, *, as_text: bool) -> dict[str, Any]:
    """Return a configuration in which each field of the kind's model has a value."""
    found: dict[str, Any] = _named(kind, key)
    for one in declared(model_of(kind)):
        path = ("config", one.name) if one.kept is None else (*one.kept.paths, ())[0]
        if len(path) < 2 or path[0] != "config" or _is_structured(one):
            continue
        inside = found
        for name in path[1:-1]:
            inside = inside.setdefault(name, {})
        is_list = one.name in _LISTS.get(kind, ())
        inside[path[-1]] = _sample(one, as_text=as_text and not is_list)
    return found


def _named(kind: str, key: str) -> dict[str, Any]:
    """Return a configuration with nothing but the name, as PVE lists its entries."""
    fields = (one for one in declared(model_of(kind)) if one.kept is not None)
    there = (one.name for one in fields if one.kept is not None and one.kept.place is Place.KEY)
    names = {one for one in there if one not in ("key", "node")}
    return dict.fromkeys({*names, *_CALLED.get(kind, ())}, key)


def _is_structured(one: Declared) -> bool:
    return isinstance(one.type, type) and issubclass(one.type, OptionValue)


@pytest.fixture
def filled(state: State, recorder: Recorder) -> State:
    """Three of each kind: with values as JSON has them, with texts, and with nothing."""
    for kind in MODELS:
        first, second, third = KEYS.get(kind, ("one", "two", "three"))
        recorder.look(
            kind,
            {
                first: _config(kind, first, as_text=False),
                second: _config(kind, second, as_text=True),
                third: _named(kind, third),
            },
        )
    return state


def _rows(url: str, statement: str) -> list[dict[str, Any]]:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return [dict(row) for row in connection.execute(text(statement)).mappings()]
    finally:
        engine.dispose()


def test_every_kind_has_a_model_of_its_own() -> None:
    assert set(MODELS) == {*KINDS, *SETTINGS}
    assert model_of("what comes later") is ReadModel


def test_every_kind_is_in_a_view() -> None:
    shown = {kind for kinds in VIEWS.values() for kind in kinds}
    entries = {"firewall-rules", "node-firewall-rules", "guest-snapshots"}
    assert shown | entries == {*KINDS, *SETTINGS}


def test_every_column_of_a_view_is_a_field_with_the_same_value(filled: State, url: str) -> None:
    engine = create_engine(url)
    assert set(inspect(engine).get_view_names()) == {*VIEWS, *OTHER_VIEWS}
    engine.dispose()
    for view, kinds in VIEWS.items():
        models = {
            one.uid: one for kind in kinds for one in filled.reader().of(model_of(kind)).list("lab")
        }
        rows = _rows(url, f"SELECT * FROM {view}")
        assert {row["uid"] for row in rows} == set(models), view
        for row in rows:
            _compare(view, row, models[row["uid"]])


def _compare(view: str, row: Mapping[str, Any], model: ReadModel) -> None:
    fields = {one.name: one for one in declared(type(model))}
    for column, value in row.items():
        shown = (view, model.resource_address, column, value)
        if column not in fields:  # a view of several kinds has columns that only some of them have
            assert value is None, shown
            continue
        is_document = isinstance(value, str) and value.startswith(("{", "["))
        told = json.loads(value) if is_document else value
        if fields[column].type is datetime:
            told = datetime.fromisoformat(value) if isinstance(value, str) else value
        assert convert(fields[column], told) == getattr(model, column), shown


def test_every_column_of_a_view_is_a_field_of_some_model(url: str, state: State) -> None:
    engine = create_engine(url)
    for view, kinds in VIEWS.items():
        fields = {one.name for kind in kinds for one in declared(model_of(kind))}
        columns = {column["name"] for column in inspect(engine).get_columns(view)}
        assert columns <= fields, view
    engine.dispose()


def test_filters_and_sort_orders_over_models_see_what_their_fields_hold(filled: State) -> None:
    for model in {*MODELS.values()}:
        reader = filled.reader().of(model)
        whole = reader.list("lab")
        assert len(whole) == 3 * len(model.KINDS)
        for name, field in field_table(model).fields.items():
            if not any(one.name == name for one in declared(model)):
                continue
            values = {one.uid: _plain(getattr(one, name), field.type) for one in whole}
            given = next((value for value in values.values() if value not in (None, False)), None)
            if given is not None:
                wanted = {uid for uid, value in values.items() if value == given}
                asked = _asked(name, field.type, given)
                assert {one.uid for one in reader.list("lab", where=asked)} == wanted, (
                    model,
                    asked,
                )
            ordered = [
                _plain(getattr(one, name), field.type) for one in reader.list("lab", sort=name)
            ]
            there = [value for value in ordered if value is not None]
            assert ordered == [*sorted(there), *[None] * (len(ordered) - len(there))], (model, name)


def _plain(value: Any, kind: FieldType) -> Any:
    if kind is FieldType.FLAG:
        return bool(value)
    if kind is FieldType.LIST:
        return None if not value else ",".join(value)
    return None if value == "" else value


def _asked(name: str, kind: FieldType, value: Any) -> str:
    if kind is FieldType.LIST:
        return " and ".join(f"{name} has {quoted(part)}" for part in value.split(","))
    shown = value.isoformat() if isinstance(value, datetime) else value
    return f"{name}={quoted('yes' if shown is True else str(shown))}"


def test_a_name_means_the_same_field_in_a_model_and_in_filters() -> None:
    own = [(model, one.name) for model in MODELS.values() for one in declared(model)]
    shared = [(model, name) for model, name in own if name in FIELDS]
    assert shared, "no model has a field that all resources have: nothing is shown"
    assert [(model, name) for model, name in shared if name not in field_table(model).fields] == []


def test_options_of_models_are_options_of_the_api() -> None:
    for wanted in COLLECTIONS:
        if wanted.is_per_guest:
            continue
        known = {*_answered(wanted.path), "entries", *(name for name, _ in wanted.inside)}
        for one in declared(model_of(wanted.kind)):
            if one.kept is None or (one.kept.place is Place.DOCUMENT and one.kept.paths):
                names = (
                    [one.name]
                    if one.kept is None
                    else [path[1] for path in one.kept.paths if len(path) > 1]
                )
                alone = len(model_of(wanted.kind).KINDS) == 1
                assert not alone or set(names) <= known, (wanted.kind, names)


def _answered(path: str) -> set[str]:
    """Return what PVE answers at a path, and what it takes below it."""
    found: set[str] = set()
    for operation in schema.operations():
        below = operation.path.removeprefix(path)
        if operation.path.startswith(path) and below.count("/") <= 1:
            found.update(operation.parameters)
            answer: Mapping[str, Any] = operation.returns
            inside = answer.get("items", answer)
            found.update(inside.get("properties", {}))
            for nested in inside.get("properties", {}).values():
                found.update(nested.get("items", {}).get("properties", {}))
            for variant in inside.get("oneOf", ()):
                found.update(variant.get("properties", {}))
    return found


def test_models_are_frozen_typed_and_keep_what_they_do_not_know(
    state: State, recorder: Recorder, clock: VirtualClock
) -> None:
    recorder.look(
        "qemu",
        {
            "100": {
                "name": "web", "cores": "4", "memory": "current=2048", "tags": "prod;web",
                "scsi0": "local-lvm:vm-100-disk-0,size=32G", "ide2": "none,media=cdrom",
                "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=20", "boot": "order=scsi0",
                "shiny": {"new": 1}, "sockets": "many", "onboot": 1,
            }
        },
    )  # fmt: skip
    before = state.writer().snapshot("lab", "before").taken_at
    clock.advance(60)
    recorder.look("qemu", {"100": {"name": "renamed", "cores": 8}, "101": {"cores": 2}})
    reader = state.reader()
    then = reader.of(VirtualMachine).get("lab", "100", at=before)
    assert_type(then, VirtualMachine)
    assert_type(then.cores, int | None)
    assert_type(then.tags, tuple[str, ...])
    assert_type(then.disks, Mapping[str, Disk])
    assert_type(then.networks["net0"], NetQemu)
    assert (then.vmid, then.name, then.cores, then.memory) == (100, "web", 4, 2048)
    assert (then.tags, then.onboot, then.sockets) == (("prod", "web"), True, None)
    assert set(then.disks) == {"scsi0", "ide2"}
    assert then.disks["scsi0"].size == Size("32G")
    assert (then.networks["net0"].bridge, then.networks["net0"].tag) == ("vmbr0", 20)
    assert then.boot is not None
    assert then.boot.order == ("scsi0",)
    assert then.rest == {"shiny": {"new": 1}, "sockets": "many"}
    assert then.config["shiny"] == {"new": 1}
    with pytest.raises(FrozenInstanceError):
        then.cores = 5  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(TypeError):
        then.rest["x"] = 1  # type: ignore[index]  # pyright: ignore[reportIndexIssue]
    now = reader.of(VirtualMachine).list("lab", where="cores>2", sort="-cores", limit=1)
    assert_type(now, Page[VirtualMachine])
    assert ([one.name for one in now], now.total) == (["renamed"], 1)
    assert [one.name for one in reader.of(VirtualMachine).list("lab", at=before)] == ["web"]
    assert all(attrs.has(model) for model in MODELS.values())


def test_what_is_not_there_is_none_or_an_error(state: State, recorder: Recorder) -> None:
    recorder.look("notification-smtp", {"mail": {"server": "mx"}})
    recorder.look("notification-gotify", {"mail": {"server": "push"}})
    reader = state.reader()
    assert reader.of(Container).find("lab", "100") is None
    with pytest.raises(NotRecorded, match="cannot find lxc 100"):
        reader.of(Container).get("lab", "100")
    with pytest.raises(NotRecorded, match="nowhere"):
        reader.of(User).list("nowhere")
    with pytest.raises(ValueError, match="notification-gotify/mail, notification-smtp/mail"):
        reader.of(NotificationEndpoint).get("lab", "mail")
    with pytest.raises(FilterInvalid, match="did you mean wanted_state"):
        reader.of(HaResource).list("lab", where="wantedstate=started")
    with pytest.raises(FilterInvalid, match="shared is yes or no"):
        reader.of(Storage).list("lab", where="shared=perhaps")


def test_all_of_many_come_a_page_at_a_time(state: State, recorder: Recorder) -> None:
    recorder.look("pool", {f"p{number:04}": {"comment": "x"} for number in range(1203)})
    keys = [one.key for one in state.reader().of(model_of("pool")).each("lab", where="comment=x")]
    assert keys == [f"p{number:04}" for number in range(1203)]


def test_the_reference_names_every_field_of_every_model() -> None:
    reference = Path(__file__).parents[3] / "docs/reference/read-models.md"
    rows = [line.split("|")[1:-1] for line in reference.read_text(encoding="utf-8").splitlines()]
    said = {row[0].strip(" `"): row for row in rows if len(row) == 3 and "`" in row[0]}
    shared = {one.name for one in declared(ReadModel)}
    assert set(said) == {model.__name__ for model in MODELS.values()}
    for model in MODELS.values():
        _, kinds, fields = said[model.__name__]
        assert kinds.strip() == ", ".join(model.KINDS)
        named = set(re.findall(r"`(\w+)`", fields))
        assert named == {one.name for one in declared(model)} - shared, model
