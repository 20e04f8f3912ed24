"""Generated configurations of the kinds that are no guests: each past leads exactly back to it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pmpc_reconcile.manifests import load_text
from pmpc_reconcile.recorded.restoring import restored
from pmpc_state import COLLECTIONS, State, sync
from tests.lab.specs import MAKERS, manifest_of

ROUNDS = 4
NAMES = {"Firewall": "Firewall/it", "Sdn": "Sdn/it", "NodeNetwork": "NodeNetwork/it",
         "Storage": "storage/it", "Image": "Image/it"}  # fmt: skip
PARTS = {"Firewall": "firewall-", "Sdn": "sdn-", "NodeNetwork": "node-network",
         "Storage": "storage", "Image": "content"}  # fmt: skip


@pytest.fixture
async def lab(tmp_path: Path, furnished: Any, lab_type: Any) -> AsyncIterator[Any]:
    cluster = furnished()
    for name in ("one", "two"):
        cluster.downloads[f"https://images.example.org/{name}.iso"] = name.encode()
    with State.open(f"sqlite:///{tmp_path / 'state.db'}", now=cluster.clock.now) as state:
        made = lab_type(cluster, state)
        async with made.client:
            yield made


@pytest.mark.parametrize("kind", MAKERS)
async def test_every_past_comes_back(lab: Any, kind: str) -> None:
    chance = random.Random(f"back to {kind}")
    parts = [one for one in COLLECTIONS if one.kind.startswith(PARTS[kind])]

    async def bring(text: str, snapshot: str | None = None) -> None:
        report = await lab.engine.apply(await lab.engine.plan(load_text(text), "shop"))
        assert report.ok, (text, [each.reason for each in report.failed])
        lab.cluster.clock.advance(30)
        await sync(lab.state, lab.client, "lab", collections=parts)
        if snapshot:
            lab.state.writer().snapshot("lab", snapshot)
        lab.cluster.clock.advance(30)

    for number in range(ROUNDS):
        await bring(manifest_of(kind, MAKERS[kind](chance)), f"s{number}")
    for number in chance.sample(range(ROUNDS), ROUNDS):
        reader = lab.state.reader()
        moment = reader.find_snapshot("lab", f"s{number}").taken_at
        found = restored(reader, "lab", NAMES[kind], None, moment)
        await bring(found.text)
        now = restored(lab.state.reader(), "lab", NAMES[kind], None, None)
        assert meant(now.text) == meant(found.text)
        assert nodes(now.text) >= nodes(found.text)
        assert (await lab.engine.plan(load_text(found.text), "shop")).empty


def meant(text: str) -> Any:
    """Return what a manifest says, without what PVE adds by itself and leaves behind."""
    document = yaml.safe_load(text)
    for interface in document["spec"].get("interfaces", {}).values():
        interface.pop("bridge_vids", None)
    document["spec"].pop("nodes", None)
    return document


def nodes(text: str) -> set[str]:
    """Return where an image is; where others left it counts as well."""
    return set(yaml.safe_load(text)["spec"].get("nodes", ()))
