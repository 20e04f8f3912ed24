"""Generated configurations of the kinds that are no guests: applied, then planned three times.

Each version gets one cluster on which one configuration follows the other, so updates, moves and
removals are among what is applied. The order of what has none, and defaults written out, change
nothing.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from pmpc_state import State
from tests.lab.specs import MAKERS, Spec, manifest_of

VERSIONS = ["8.4", "9.0", "9.1", "9.2"]
ROUNDS = 8

DEFAULTS: Mapping[str, Callable[[Spec], object]] = {
    "Firewall": lambda spec: spec["options"].setdefault("policy_forward", "ACCEPT"),
    "Sdn": lambda spec: [vnet.setdefault("vlanaware", False) for vnet in spec["vnets"].values()],
    "NodeNetwork": lambda spec: [
        each.setdefault("bridge_vlan_aware", False) for each in spec["interfaces"].values()
    ],
    "Storage": lambda spec: spec["config"].setdefault("disable", False),
    "Image": lambda spec: None,
}
ORDERED = ("rules",)


def permuted(chance: random.Random, value: Any, name: str = "") -> Any:
    """Return a value with everything in another order whose order says nothing."""
    if isinstance(value, dict):
        items = list(cast("Spec", value).items())
        chance.shuffle(items)
        return {key: permuted(chance, entry, key) for key, entry in items}
    if isinstance(value, list):
        entries = [permuted(chance, value[index]) for index in range(len(cast("Any", value)))]
        if name not in ORDERED:
            chance.shuffle(entries)
        return entries
    return value


@pytest.fixture(params=VERSIONS)
async def versioned(
    request: Any, tmp_path: Path, furnished: Any, lab_type: Any
) -> AsyncIterator[Any]:
    cluster = furnished(version=request.param)
    for name in ("one", "two"):
        cluster.downloads[f"https://images.example.org/{name}.iso"] = name.encode()
    with State.open(f"sqlite:///{tmp_path / 'state.db'}", now=cluster.clock.now) as state:
        lab = lab_type(cluster, state)
        async with lab.client:
            yield lab


@pytest.mark.parametrize("kind", MAKERS)
async def test_what_was_applied_needs_nothing_any_more(versioned: Any, kind: str) -> None:
    lab, chance = versioned, random.Random(kind)
    for _ in range(ROUNDS):
        spec = MAKERS[kind](chance)
        plan = await lab.engine.plan(_load(manifest_of(kind, spec)), "shop")
        report = await lab.engine.apply(plan)
        assert report.ok, (spec, [each.reason for each in report.failed])
        await unchanged(lab, kind, spec, chance)
    report = await lab.engine.apply(await lab.engine.delete("shop"))
    assert report.ok, [each.reason for each in report.failed]


async def unchanged(lab: Any, kind: str, spec: Spec, chance: random.Random) -> None:
    lab.forget_writes()
    for text in (
        manifest_of(kind, spec),
        manifest_of(kind, permuted(chance, spec)),
        manifest_of(kind, with_defaults(kind, spec)),
    ):
        plan = await lab.engine.plan(_load(text), "shop")
        assert plan.empty, (spec, plan.explain())
        assert (await lab.engine.apply(plan)).ok
    assert lab.writes == []


def with_defaults(kind: str, spec: Spec) -> Spec:
    copy: Spec = yaml.safe_load(yaml.safe_dump(spec))
    DEFAULTS[kind](copy)
    return copy


def _load(text: str) -> Any:
    from pmpc_reconcile.manifests import load_text

    return load_text(text)
