"""A corpus of generated guests: each is made on a simulated server and then plans to nothing."""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import pytest

from pmpc_reconcile.diff import Diff, create_options, three_way, to_wire
from pmpc_reconcile.kinds import Kind, options_of
from pmpc_reconcile.manifests import Manifest, json_schema, load_text
from pmpc_reconcile.values import Fields, from_record, live_fields, to_record
from proxmox_client.testing import SimulatedCluster
from tests.lab.generated import CASES, IMAGE, KINDS, Case, document, shuffled


@attrs.define
class Server:
    """A simulated server of one version."""

    version: str
    cluster: SimulatedCluster
    vmids: Iterator[int]

    def make(self, of: Kind, parameters: Mapping[str, str]) -> str:
        """Create a guest and return the path of its configuration."""
        vmid = next(self.vmids)
        path = f"/nodes/pve1/{of.guest}"
        upid = self.cluster.call("POST", path, {"vmid": vmid, **parameters})
        self.cluster.clock.advance(60)
        status = self.cluster.call("GET", f"/nodes/pve1/tasks/{upid}/status")
        assert status["exitstatus"] in ("OK", "WARNINGS: 1"), status
        return f"{path}/{vmid}/config"

    def config(self, path: str) -> dict[str, Any]:
        found: dict[str, Any] = self.cluster.call("GET", path)
        return found


@functools.cache
def server(version: str) -> Server:
    cluster = SimulatedCluster(nodes=("pve1",), version=version)
    cluster.add_volume("local", IMAGE.partition(":")[2], 1_000_000)
    return Server(version, cluster, iter(range(100, 100_000)))


def manifest(case: Case, config: Mapping[str, Any]) -> Manifest:
    text = json.dumps(document(case, config))
    (found,) = load_text(text, name=f"{case}.json", version=case.version)
    return found


@functools.cache
def editor(version: str) -> Any:
    """Return what an editor checks manifests with."""
    return importlib.import_module("jsonschema").Draft202012Validator(json_schema(version))


def mark(text: str) -> str:
    return f"mark-{len(text)}"


def compare(case: Case, wanted: Manifest, live: Mapping[str, Any], owned: Fields) -> Diff:
    return three_way(case.of, wanted.fields, live_fields(case.of, live), owned, fingerprint=mark)


def recorded(diff: Diff) -> Fields:
    return from_record(json.loads(json.dumps(to_record(diff.owned_after(), mark))))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_guest_that_was_made_plans_to_nothing(case: Case) -> None:
    at = server(case.version)
    wanted = manifest(case, case.config)
    assert list(editor(case.version).iter_errors(document(case, case.config))) == []
    wire = create_options(case.of, wanted)
    assert not wire.refused, [str(each) for each in wire.refused]
    path = at.make(case.of, wire.parameters())
    live = at.config(path)
    first = compare(case, wanted, live, {})
    assert {change.path for change in first.changes} <= {"config.cipassword"}, first.changes
    owned = recorded(first)
    for _ in range(3):
        again = compare(case, wanted, live, owned)
        assert again.empty, (again.changes, again.conflicts)
        assert to_wire(case.of, again.changes, live).empty
        assert recorded(again) == owned
        owned = recorded(again)
    _another_way_of_writing_it(case, wanted, live, owned)


def _another_way_of_writing_it(
    case: Case, wanted: Manifest, live: Mapping[str, Any], owned: Fields
) -> None:
    """Order and written out defaults change nothing."""
    other = manifest(case, shuffled(case))
    assert compare(case, other, live, owned).empty
    assert other.to_document() == wanted.to_document()
    explicit = manifest(case, {**_defaults(case), **_explicit(case)})
    diff = compare(case, explicit, live, owned)
    assert not [each for each in diff.changes if each.path != "config.unprivileged"], diff.changes
    assert not diff.conflicts


def _defaults(case: Case) -> dict[str, Any]:
    return {
        option.name: option.scalar.default
        for option in options_of(case.of, case.version).options.values()
        if option.slots is None and option.scalar.default is not None and option.name != "arch"
    }


def _explicit(case: Case) -> dict[str, Any]:
    """Return the options with the defaults of their keys written out."""
    options = options_of(case.of, case.version)
    found: dict[str, Any] = {}
    for name, value in case.config.items():
        option = options.find(name)
        assert option is not None
        defaults = {
            key: known.scalar.default
            for key, known in option.keys.items()
            if known.scalar.default is not None and key != "media"
        }
        found[name] = {**defaults, **value} if isinstance(value, dict) else value
    return found


def test_the_corpus_is_large_and_covers_the_options() -> None:
    assert len(CASES) >= 500
    for of in KINDS:
        seen = {
            option.name
            for case in CASES
            if case.of is of
            for name in case.config
            if (option := options_of(of).find(name)) is not None
        }
        known = {option.name for option in options_of(of).options.values()}
        assert len(seen) >= 0.7 * len(known), sorted(known - seen)
