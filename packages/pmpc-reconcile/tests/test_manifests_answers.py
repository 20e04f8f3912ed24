"""An answer to a conflict that names nothing is refused where it stands, for every kind."""

from __future__ import annotations

import pytest

from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.manifests import ManifestInvalid, load_text, manifest_from_document
from pmpc_reconcile.plans.resolutions import check_resolutions

SPECS = {
    "Sdn": "  zones: {lab: {type: vlan, bridge: vmbr0}}\n  subnets: {10.1.0.0/24: {vnet: web}}\n",
    "NodeNetwork": "  node: pve1\n  interfaces: {vmbr0.7: {type: vlan}, vmbr1: {type: bridge}}\n",
    "Storage": "  type: dir\n  config: {path: /srv/tank, content: [iso]}\n",
    "Firewall": "  options: {enable: on}\n  ipsets: {office: {entries: [10.0.0.0/8]}}\n"
    "  rules: [{type: in, action: ACCEPT, proto: tcp, dport: 22}]\n",
    "Pool": "  storage: [local]\n  guests: [VirtualMachine/web-1]\n",
    "Image": "  storage: local\n  content: iso\n  url: https://a.example/b.iso\n  nodes: [pve1]\n",
}
SSH = "rules.in ACCEPT -proto tcp -dport 22"
WRONG = [
    ("Sdn", "zones.lab.bridg", "names no option of an Sdn", "bridge"),
    ("Sdn", "zones.1ab", "names no zone of an Sdn", None),
    ("Sdn", "zones.lap.bridge", "names nothing that Sdn/it declares", "zones.lab"),
    ("Sdn", "subnets.10.1.0.9/24", "names nothing that Sdn/it", "subnets.10.1.0.0/24"),
    ("Sdn", "subnets.office", "names no subnet of an Sdn", None),
    ("Sdn", "zone.lab", "names no field of an Sdn", "zones"),
    ("NodeNetwork", "interfaces.vmbr0.7.cidrr", "names no option of a NodeNetwork", "cidr"),
    ("NodeNetwork", "interfaces.vmbr0.8", "names nothing that", "vmbr0.7"),
    ("NodeNetwork", "vmbr1", "names no field of a NodeNetwork", "interfaces"),
    ("Storage", "config.contant", "names no option of a Storage", "content"),
    ("Storage", "state", "names no field of a Storage", "config"),
    ("Firewall", "options.policy_inn", "names no option of a Firewall", "policy_in"),
    ("Firewall", "options.nftables", "names no option of the firewall of a cluster", None),
    ("Firewall", "rules.in ACCEPT -dprt 22", "names no rule of a Firewall", None),
    ("Firewall", SSH.replace("22", "23"), "names nothing that Firewall/it declares", SSH),
    ("Firewall", "ipsets.office.entry", "names no part of a Firewall", "entries"),
    ("Firewall", "ipsets.office.entries.10.0.0.0/16", "names nothing that", "10.0.0.0/8"),
    ("Firewall", "aliases.desk", "names nothing that", "it declares"),
    ("Pool", "storage.lokal", "names nothing that Pool/it declares", "storage.local"),
    ("Pool", "comment.x", "names no field of a Pool", "comment"),
    ("Image", "nodes.pve7", "names nothing that Image/it declares", "nodes.pve1"),
]
RIGHT = [
    ("Sdn", "zones"), ("Sdn", "zones.lab"), ("Sdn", "zones.lab.mtu"),
    ("Sdn", "subnets.10.1.0.0/24.gateway"), ("Sdn", "subnets.10.1.0.0/24"),
    ("NodeNetwork", "interfaces.vmbr0.7"), ("NodeNetwork", "interfaces.vmbr0.7.mtu"),
    ("Storage", "config.content"), ("Storage", "config"), ("Firewall", "options.policy_in"),
    ("Firewall", SSH), ("Firewall", "rules"), ("Firewall", "order"),
    ("Firewall", "ipsets.office.entries.10.0.0.0/8"), ("Firewall", "ipsets.office.comment"),
    ("Pool", "comment"), ("Pool", "guests.101"), ("Pool", "guests.VirtualMachine/web-1"),
    ("Image", "nodes"), ("Image", "nodes.pve1"),
]  # fmt: skip


def text_of(kind: str, path: str = "", word: str = "ours") -> str:
    head = f"apiVersion: pmpc/v1\nkind: {kind}\nmetadata: {{name: it}}\nspec:\n{SPECS[kind]}"
    return head + (f'  conflicts:\n    "{path}": {word}\n' if path else "")


@pytest.mark.parametrize(("kind", "path", "message", "hint"), WRONG)
def test_an_answer_about_nothing_is_refused_where_it_stands(
    kind: str, path: str, message: str, hint: str | None
) -> None:
    with pytest.raises(ManifestInvalid) as caught:
        load_text(text_of(kind, path), name="stack.yaml")
    (found,) = caught.value.diagnostics
    line = text_of(kind, path).count("\n")
    assert (found.file, found.line, found.column) == ("stack.yaml", line, 5)
    assert message in found.message
    assert hint is None or hint in (found.hint or "")


@pytest.mark.parametrize(("kind", "path", "message", "hint"), WRONG)
def test_it_is_refused_on_the_command_line_too(
    kind: str, path: str, message: str, hint: str | None
) -> None:
    manifests = load_text(text_of(kind))
    for address in ("", f"{kind}/it"):
        with pytest.raises(InputInvalid) as caught:
            check_resolutions({address: {path: "ours"}}, manifests)
        assert message in str(caught.value)
        assert hint is None or hint in str(caught.value)


@pytest.mark.parametrize(("kind", "path"), RIGHT)
def test_an_answer_about_something_is_taken(kind: str, path: str) -> None:
    (manifest,) = load_text(text_of(kind, path))
    assert manifest.resolutions == {path: "ours"}
    check_resolutions({"": {path: "ours"}}, load_text(text_of(kind)))


def test_what_is_no_longer_declared_may_be_ignored() -> None:
    load_text(text_of("Sdn", "zones.old", "ignore"))
    load_text(text_of("Firewall", SSH.replace("22", "23"), "ignore"))


def test_one_object_that_knows_the_path_is_enough() -> None:
    both = load_text(f"{text_of('Sdn')}---\n{text_of('Storage')}")
    check_resolutions({"": {"config.content": "ours", "zones.lab": "theirs"}}, both)


def test_a_revision_recorded_with_such_an_answer_is_still_read() -> None:
    (manifest,) = load_text(text_of("Sdn", "zones.lab"))
    document = manifest.to_document()
    document["spec"]["conflicts"] = {"zones.gone": "ours"}
    assert manifest_from_document(document).resolutions == {"zones.gone": "ours"}
