"""The JSON Schema for editors accepts what the loader accepts, and finds the common mistakes."""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
import yaml

from pmpc_reconcile.actions import ActionContext, invoke
from pmpc_reconcile.actions.schema import SchemaInput
from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.kinds import kinds
from pmpc_reconcile.manifests import json_schema, load_text
from pmpc_state import State
from proxmox_client import AsyncClient
from proxmox_client import schema as facts
from proxmox_client.testing import SimulatedCluster

HEAD = "apiVersion: pmpc/v1\nkind: VirtualMachine\nmetadata: {name: web-1}\nspec:\n"


@functools.cache
def editor(version: str | None = None) -> Any:
    # jsonschema ships no types.
    return importlib.import_module("jsonschema").Draft202012Validator(json_schema(version))


def findings(text: str, version: str | None = None) -> list[str]:
    return [
        f"{'/'.join(str(part) for part in each.absolute_path)}: {each.message}"
        for document in yaml.safe_load_all(text)
        for each in editor(version).iter_errors(document)
    ]


ACCEPTED = [
    "  state: running",
    "  vmid: 101\n  placement: {nodes: [pve1]}\n  pool: 007",
    "  source: {clone: {template: 9000, full: no}}",
    "  restart: {policy: window, window: sun 02:00}\n  protect: on\n  replace: allow",
    "  conflicts: {config.memory: ours, config.net0: theirs, state: ignore}",
    "  config: {cores: 2, memory: '2048', onboot: Yes, kvm: 0, numa: on}",
    "  config: {memory: {current: 2048}}",
    "  config: {name: 007, description: 5, args: -foo}",
    "  config: {boot: [scsi0, net0]}",
    "  config: {boot: {order: [scsi0, net0]}}",
    "  config: {boot: order=scsi0}",
    "  config: {hotplug: [disk, network], nameserver: [1.1.1.1, 8.8.8.8], tags: [web, 1]}",
    "  config: {tags: web;db, nameserver: 1.1.1.1, sshkeys: ssh-ed25519 AAAA}",
    "  config: {net0: {virtio: BC:24:11:00:00:01, bridge: vmbr0, trunks: [1, 2]}}",
    "  config: {net0: virtio, agent: on, cpu: host, startup: 3, hugepages: 2}",
    "  config: {scsi0: {storage: local, size: 32G, discard: on, file: x}}",
    "  config: {ide2: {storage: local, cloudinit: on}, cpu: {cputype: host, flags: [+aes]}}",
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_the_loader_takes_an_editor_takes(text: str) -> None:
    if "file: x" not in text:
        assert load_text(HEAD + text + "\n")
    assert findings(HEAD + text + "\n") == []


REFUSED = [
    ("  stat: running", "stat"),
    ("  state: runing", "runing"),
    ("  vmid: 99", "minimum"),
    ("  placement: {node: [pve1]}", "node"),
    ("  source: {clone: {full: no}}", "template"),
    ("  config: {coers: 2}", "coers"),
    ("  config: {memory: 4}", "4 is not valid"),
    ("  config: {cores: two words, bios: omvf}", "omvf"),
    ("  config: {onboot: maybe}", "maybe"),
    ("  config: {net0: {modle: virtio}}", "modle"),
    ("  config: {net0: {model: virtio, tag: 5000}}", "5000"),
    ("  config: {scsi0: {storage: local, size: 32}}", "32"),
    ("  config: {scsi0: {storage: local, colour: red}}", "colour"),
]


@pytest.mark.parametrize(("text", "word"), REFUSED)
def test_an_editor_sees_common_mistakes(text: str, word: str) -> None:
    assert any(word in finding for finding in findings(HEAD + text + "\n"))


def test_a_mistake_is_told_in_the_words_of_its_kind() -> None:
    (finding,) = findings("apiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: a}\nspec: {memory: 5}")
    assert finding.startswith("spec: ")
    assert "memory" in finding


def test_kinds_and_lists() -> None:
    pool = "{apiVersion: pmpc/v1, kind: Pool, metadata: {name: a}}"
    assert findings(f"kind: List\nitems: [{pool}]\n") == []
    assert findings("kind: Pod\n")
    assert findings("metadata: {name: a}\n")
    known = json_schema()["properties"]["kind"]["enum"]
    assert set(known) == {each.name for each in kinds()} | {"List"}


SETTINGS = {
    "Firewall": (
        "rules: [{type: in, action: ACCEPT, dport: 22}], aliases: {lan: 10.0.0.0/8}",
        ("rules: [{type: sideways, action: ACCEPT}]", "optoins: {}"),
    ),
    "Sdn": (
        "zones: {lab: {type: simple}}, vnets: {web: {zone: lab}}",
        ("zones: {lab: {type: nonsense}}", "vnets: {web: {zoen: lab}}"),
    ),
    "NodeNetwork": (
        "node: pve1, interfaces: {vmbr1: {type: bridge, autostart: on}}",
        ("node: pve1, interfaces: {vmbr1: {type: nonsense}}", "interfaces: {}"),
    ),
    "Storage": (
        "type: dir, config: {path: /srv, content: [images]}",
        ("type: nonsense, config: {}", "config: {path: /srv}"),
    ),
    "Image": (
        "storage: local, content: iso, url: https://example.org/a.iso",
        ("storage: local, content: iso", "node: pve1"),
    ),
    "Container": (
        "hooks: {postDelete: [{dropBackups: {storage: local, keep: 1}}]}",
        ("hooks: {postDelete: [{backup: {storage: local}}]}", "hooks: {afterwards: []}"),
    ),
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_editors_know_every_kind(kind: str) -> None:
    right, wrong = SETTINGS[kind]
    head = f"apiVersion: pmpc/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec: "
    assert findings(f"{head}{{{right}}}\n") == []
    for mistake in wrong:
        assert findings(f"{head}{{{mistake}}}\n"), mistake


def test_options_follow_the_version() -> None:
    text = HEAD + "  config: {intel-tdx: {type: tdx}}\n"
    assert findings(text, "9.2") == []
    assert findings(text, "8.4")
    with pytest.raises(ValueError, match="no API facts"):
        json_schema("6.4")


@pytest.mark.parametrize("version", [*facts.versions(), None])
def test_it_is_a_valid_schema_in_plain_json(version: str | None) -> None:
    found = json_schema(version)
    assert json.loads(json.dumps(found)) == found
    editor(version).check_schema(found)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[ActionContext]:
    with State.open(f"sqlite:///{tmp_path / 'state.db'}") as state:
        yield ActionContext("lab", state)


async def test_the_action_gives_the_schema_of_a_version(context: ActionContext) -> None:
    made = await invoke("schema", context, SchemaInput(version="8.4"))
    assert (made.version, made.document) == ("8.4", json_schema("8.4"))
    made = await invoke("schema", context, SchemaInput())
    assert (made.version, made.document) == (None, json_schema())


async def test_the_action_asks_the_server_for_its_version(context: ActionContext) -> None:
    cluster = SimulatedCluster(nodes=("pve1",), version="9.0")
    token = cluster.create_token("root@pam", "demo")
    async with AsyncClient("pve1", token=token, transport=cluster.async_transport()) as client:
        made = await invoke(
            "schema", attrs.evolve(context, client=client), SchemaInput(server=True)
        )
        assert made.version == "9.0"
        with pytest.raises(InputInvalid, match="not both"):
            await invoke(
                "schema", attrs.evolve(context, client=client), SchemaInput("9.2", server=True)
            )


async def test_an_unknown_version_names_the_known_ones(context: ActionContext) -> None:
    with pytest.raises(InputInvalid, match=r"PVE 6\.4 are not known; known are .*9\.2"):
        await invoke("schema", context, SchemaInput(version="6.4"))
