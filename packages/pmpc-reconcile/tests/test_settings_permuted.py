"""Order where it says nothing, and defaults written out, change no field that is compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from pmpc_reconcile.diff import three_way
from pmpc_reconcile.groups.firewall.fields import level_fields
from pmpc_reconcile.groups.firewall.state import Level
from pmpc_reconcile.groups.network.state import network_live
from pmpc_reconcile.groups.sdn.state import SECTIONS, sdn_live
from pmpc_reconcile.kinds.firewall import OPTION_DEFAULTS
from pmpc_reconcile.kinds.interfaces import DEFAULTS as INTERFACE_DEFAULTS
from pmpc_reconcile.kinds.sdn import DEFAULTS as SDN_DEFAULTS
from pmpc_reconcile.kinds.sdn import OPTIONS as SDN_OPTIONS
from pmpc_reconcile.manifests import Manifest, load_text
from pmpc_reconcile.values import Fields
from pmpc_reconcile.values.items import split_item

Spec = dict[str, Any]
nodes = st.lists(st.sampled_from(["pve1", "pve2", "pve3"]), min_size=1, unique=True)
on = st.booleans()
names = st.sampled_from(["z0", "z1", "z2", "lab"])
ports = st.integers(1, 65535).map(str)
rules = st.lists(
    st.fixed_dictionaries(
        {"type": st.just("in"), "action": st.sampled_from(["ACCEPT", "DROP"]),
         "proto": st.just("tcp"), "dport": ports},
        optional={"comment": st.sampled_from(["x", "for Ada"]), "enable": on},
    ),
    max_size=5, unique_by=lambda rule: (rule["action"], rule["dport"]),
)  # fmt: skip
zone = st.fixed_dictionaries(
    {"type": st.just("evpn")},
    optional={"nodes": nodes, "mtu": st.sampled_from([1450, 1500]), "exitnodes": nodes,
              "advertise-subnets": on, "rt-import": st.permutations(["65000:1", "65000:2"])},
)  # fmt: skip
bridge = st.fixed_dictionaries(
    {"type": st.just("bridge")},
    optional={"bridge_ports": st.permutations(["eth1", "eth2"]), "autostart": on,
              "bridge_vlan_aware": on, "comments": st.sampled_from(["guests", "a b"])},
)  # fmt: skip
contents = st.lists(st.sampled_from(["iso", "images", "backup"]), min_size=1, unique=True)
SPECS: Mapping[str, st.SearchStrategy[Spec]] = {
    "Firewall": st.fixed_dictionaries(
        {"options": st.fixed_dictionaries({}, optional={"enable": on, "ebtables": on}),
         "ipsets": st.dictionaries(names, st.fixed_dictionaries(
             {"entries": st.permutations(["192.0.2.0/24", "10.0.0.0/8", "!10.1.1.1 # x"])}),
             max_size=2),
         "rules": rules}),
    "Sdn": st.fixed_dictionaries(
        {"zones": st.dictionaries(names, zone, max_size=3),
         "vnets": st.dictionaries(names, st.fixed_dictionaries(
             {"zone": names}, optional={"vlanaware": on, "tag": st.integers(1, 99)}))}),
    "NodeNetwork": st.fixed_dictionaries(
        {"node": st.just("pve1"),
         "interfaces": st.dictionaries(st.sampled_from(["vmbr1", "vmbr2", "vmbr3"]), bridge)}),
    "Storage": st.fixed_dictionaries(
        {"type": st.just("dir"),
         "config": st.fixed_dictionaries({"path": st.just("/srv/tank")},
                                         optional={"content": contents, "nodes": nodes,
                                                   "disable": on})}),
    "Image": st.fixed_dictionaries(
        {"storage": st.just("local"), "content": st.just("iso"),
         "url": st.just("https://images.example.org/a.iso"), "nodes": nodes}),
    "Pool": st.fixed_dictionaries(
        {"comment": st.just("x"), "storage": contents, "guests": st.permutations([100, 101, 102])}),
}  # fmt: skip
ORDERED = ("rules",)


def manifest(kind: str, spec: Spec) -> Manifest:
    head = {"apiVersion": "pmpc/v1", "kind": kind, "metadata": {"name": "it"}}
    (found,) = load_text(json.dumps({**head, "spec": spec}))
    return found


def permuted(data: st.DataObject, value: object, name: str = "") -> Any:
    """Return a value with everything in another order whose order says nothing."""
    if isinstance(value, dict):
        items = list(cast("Spec", value).items())
        return {key: permuted(data, item, key) for key, item in data.draw(st.permutations(items))}
    if isinstance(value, list) and name not in ORDERED:
        return data.draw(st.permutations(cast("Sequence[object]", value)))
    return cast("Any", value)


def with_defaults(kind: str, spec: Spec) -> Spec:
    """Return a spec that says what PVE takes anyway."""
    full: Spec = json.loads(json.dumps(spec))
    if kind == "Firewall":
        full["options"] = {**OPTION_DEFAULTS["cluster"], **full["options"]}
    for section in SECTIONS if kind == "Sdn" else ():
        known = {n: v for n, v in SDN_DEFAULTS.items() if n in SDN_OPTIONS[section]}
        for name, options in full.get(section, {}).items():
            full[section][name] = {**known, **options}
    for name, options in full.get("interfaces", {}).items():
        defaults = {n: v for n, v in INTERFACE_DEFAULTS.items() if v != ""}
        full["interfaces"][name] = {**defaults, **options}
    if kind == "Storage":
        full["config"] = {"disable": False, "shared": False, **full["config"]}
    return full


def live_of(kind: str, fields: Fields, declared: Fields) -> Fields:
    """Return what the server shows after the fields were applied, as seen for a manifest."""
    if kind == "Firewall":
        options = {
            path.removeprefix("options."): str(int(value)) if isinstance(value, bool) else value
            for path, value in fields.items()
            if path.startswith("options.")
        }
        shown = level_fields(Level(options=cast("dict[str, str]", options)), "cluster", declared)
        return {**fields, **shown}
    objects: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    for path, value in fields.items() if kind in ("Sdn", "NodeNetwork") else ():
        section, name, option = split_item(path)
        objects.setdefault(section, {}).setdefault(name, {})[option] = value
    if kind == "Sdn":
        return sdn_live(objects, [*declared])
    if kind == "NodeNetwork":
        return network_live(objects.get("interfaces", {}), [*declared])
    return fields


@given(st.data(), st.sampled_from(sorted(SPECS)))
def test_permuting_and_writing_defaults_changes_nothing(data: st.DataObject, kind: str) -> None:
    spec = data.draw(SPECS[kind])
    first = manifest(kind, spec)
    for other in (permuted(data, spec), with_defaults(kind, permuted(data, spec))):
        again = manifest(kind, other)
        live = live_of(kind, first.fields, again.fields)
        diff = three_way(first.kind_data, again.fields, live, first.fields)
        assert not diff.changes, [str(change) for change in diff.changes]
        assert not diff.conflicts
