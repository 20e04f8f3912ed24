"""Every mistake gets its line, its column and a way out; all of them at once."""

from __future__ import annotations

import pytest

from pmpc_reconcile.diagnostics import Diagnostic
from pmpc_reconcile.manifests import ManifestInvalid, load_text

VM = "apiVersion: pmpc/v1\nkind: VirtualMachine\nmetadata: {name: web-1}\nspec:\n"


def findings(text: str, name: str = "stack.yaml", version: str | None = None) -> list[Diagnostic]:
    with pytest.raises(ManifestInvalid) as caught:
        load_text(text, name=name, version=version)
    return list(caught.value.diagnostics)


def only(text: str, name: str = "stack.yaml") -> Diagnostic:
    found = findings(text, name)
    assert len(found) == 1, [str(each) for each in found]
    return found[0]


CASES = [
    # typo in an option: line, column, suggestion
    (VM + "  config:\n    coers: 2\n", 6, 5, "unknown option 'coers' in spec.config", "cores"),
    (VM + "  plcement: {}\n", 5, 3, "unknown field 'plcement' in spec", "placement"),
    (VM + "  placement: {node: [a]}\n", 5, 15, "unknown key 'node' in spec.placement", "nodes"),
    ("apiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: a}\nspce: {}\n", 4, 1, "'spce'", "spec"),
    (VM + "  config:\n    net0: {modle: virtio}\n", 6, 12, "unknown key 'modle'", "model"),
    (VM + "  config:\n    net0: virtio,tga=20\n", 6, 18, "unknown key 'tga'", "tag"),
    (VM + "  config:\n    net0: 'virtio,tga=20'\n", 6, 19, "unknown key 'tga'", "tag"),
    # duplicate key
    (VM + "  config:\n    cores: 2\n    cores: 4\n", 7, 5, "duplicate key 'cores'", "6:5"),
    # unknown kind and version
    ("apiVersion: pmpc/v1\nkind: VirtualMashine\nmetadata: {name: a}\n", 2, 7,
     "unknown kind 'VirtualMashine'", "did you mean 'VirtualMachine'?"),
    ("apiVersion: pmpc/v2\nkind: Pool\nmetadata: {name: a}\n", 1, 13,
     "unknown apiVersion 'pmpc/v2'", "pmpc/v1"),
    # out of range
    (VM + "  config:\n    memory: 4\n", 6, 13, "memory must be ≥ 16, is 4", None),
    (VM + "  config:\n    net0: {model: virtio, tag: 5000}\n", 6, 32,
     "net0.tag must be ≤ 4094, is 5000", None),
    (VM + "  config:\n    net0: virtio,tag=5000\n", 6, 18,
     "net0.tag must be ≤ 4094, is 5000", None),
    (VM + "  vmid: 99\n", 5, 9, "spec.vmid must be ≥ 100, is 99", None),
    # wrong word
    (VM + "  config:\n    bios: omvf\n", 6, 11, "bios must be one of seabios, ovmf, is 'omvf'",
     "did you mean 'ovmf'?"),
    (VM + "  state: runing\n", 5, 10, "spec.state must be one of running, stopped", "running"),
    (VM + "  config:\n    net0: {model: virtoi}\n", 6, 19, "net0.model must be one of", "virtio"),
    # wrong type
    (VM + f"  config:\n    cores: {'9' * 5000}\n", 6, 12, "cores must be a whole number", None),
    (VM + "  config:\n    description: |\n      mine\n      managed-by: pmpc release=shop"
     " object=VirtualMachine/a id=0123456789abcdef\n", 6, 18, "description holds pmpc's own line",
     "leave `managed-by: …` out"),
    (VM + "  config:\n    cores: two\n", 6, 12, "cores must be a whole number, is 'two'", None),
    (VM + "  config:\n    cores: on\n", 6, 12, "cores must be a whole number, is 'on'", None),
    (VM + "  config:\n    onboot: maybe\n", 6, 13, "onboot must be on or off, is 'maybe'", "yes"),
    (VM + "  config:\n    cores: [1]\n", 6, 12, "cores must be a single value, is a list", None),
    (VM + "  config:\n    cores: {a: 1}\n", 6, 12, "cores must be a single value", None),
    (VM + "  config: [1]\n", 5, 11, "spec.config must be a mapping, is a list", None),
    (VM + "  config:\n    cores:\n", 6, 11, "cores must be given a value, is empty", "remove"),
    (VM + "  config:\n    scsi0: {storage: local, size: 32}\n", 6, 35,
     "scsi0.size must be a size with its unit", "32G"),
    (VM + "  config:\n    scsi0: {storage: local, size: big}\n", 6, 35, "scsi0.size must be", None),
    (VM + "  config:\n    net0: {model: virtio, macaddr: 1:2}\n", 6, 36, "a MAC address", None),
    (VM + "  config:\n    name: bad_name!\n", 6, 11, "name must be a DNS name", None),
    (VM + "  config:\n    scsi0: {storage: a, size: 1G, volume: 'a:b'}\n", 6, 12,
     "both a volume and a storage", None),
    (VM + "  config:\n    net0: virtio,e1000\n", 6, 11, "net0 must be a list of key=value", None),
    # options that are none here
    (VM + "  config:\n    scsi99: local:1\n", 6, 5, "unknown option 'scsi99'", "scsi0 to scsi30"),
    (VM + "  config:\n    vmid: 100\n", 6, 5, "option 'vmid' does not belong", "spec.vmid"),
    (VM + "  config:\n    unused0: local:x\n", 6, 5, "option 'unused0' does not belong", None),
    # paths of conflicts
    (VM + "  conflicts: {config.memroy: ours}\n", 5, 15, "'config.memroy' names no option",
     "memory"),
    (VM + "  conflicts:\n    memory: ours\n", 6, 5, "'memory' names no field of a VirtualMachine",
     "config.memory"),
    (VM + "  conflicts: {config.net0.rat: ours}\n", 5, 15, "names no key of net0", "rate"),
    (VM + "  conflicts: {config.cores.x: ours}\n", 5, 15, "names no key of cores", "config.cores"),
    (VM + "  conflicts: {state.x: ours}\n", 5, 15, "'state.x' names no field", "config, state"),
    (VM + "  conflicts: {config.memory: mine}\n", 5, 30, "must be one of ours, theirs, ignore",
     None),
    ("apiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: a}\nspec: {conflicts: {pool: ours}}\n",
     4, 20, "'pool' names no field of a Pool", "comment, guests, storage"),
    # what only records may say
    (VM + "  config:\n    cipassword: {$secret: abc}\n", 6, 17,
     "cipassword must be the value itself", "write the value"),
    # missing parts
    ("apiVersion: pmpc/v1\nkind: Pool\nmetadata: {}\n", 3, 1, "'name' is missing", None),
    ("apiVersion: pmpc/v1\nmetadata: {name: a}\n", 1, 1, "'kind' is missing", None),
    (VM + "  source: {clone: {full: no}}\n", 5, 12, "'template' is missing in spec.source.clone",
     None),
    (VM + "  restart: {policy: window}\n", 5, 21, "needs spec.restart.window", "sun 02:00"),
    # names
    ("apiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: 'a b'}\n", 3, 18, "metadata.name", None),
    ("apiVersion: pmpc/v1\nkind: VirtualMachine\nmetadata: {name: a_b}\n", 3, 18,
     "is not a DNS name", "spec.config.name"),
    # not YAML, not safe
    (VM + "  config: {cores: 2\n", 6, 1, "this is not YAML", None),
    (VM + "\tconfig: 1\n", 5, 1, "this is not YAML", "tabs"),
    (VM + "  config: !!python/object:os.system {}\n", 5, 11, "is not supported", None),
    (VM + "  config: &a {x: *a}\n", 5, 11, "an alias contains itself", None),
    (VM + "  config: *nowhere\n", 5, 11, "this is not YAML", None),
    ("just a text\n", 1, 1, "a manifest must be a mapping", "apiVersion"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "message", "hint"), CASES)
def test_a_mistake_is_shown_where_it_is(
    text: str, line: int, column: int, message: str, hint: str | None
) -> None:
    found = only(text)
    assert (found.file, found.line, found.column) == ("stack.yaml", line, column), str(found)
    assert message in found.message
    assert hint is None or hint in (found.hint or "")


def test_all_mistakes_come_at_once_in_the_order_of_the_text() -> None:
    text = VM + "  state: runing\n  config:\n    coers: 2\n    memory: 4\n    bios: omvf\n"
    found = findings(text)
    assert [(each.line, each.column) for each in found] == [(5, 10), (7, 5), (8, 13), (9, 11)]
    assert all(each.address == "VirtualMachine/web-1" for each in found)


def test_mistakes_of_several_documents_come_together() -> None:
    text = VM + "  state: runing\n---\n" + VM.replace("web-1", "web-2") + "  stat: running\n"
    assert [each.line for each in findings(text)] == [5, 11]


def test_duplicate_objects_name_both_places() -> None:
    found = only(VM + "  state: running\n---\n" + VM + "  state: running\n")
    assert (found.line, found.column) == (9, 18)
    assert found.hint == "it is first at stack.yaml:3:18"


def test_two_guests_cannot_ask_for_one_vmid() -> None:
    other = VM.replace("web-1", "web-2").replace("VirtualMachine", "Container")
    found = only(VM + "  vmid: 105\n---\n" + other + "  vmid: 105\n")
    assert (found.line, found.column) == (11, 9)
    assert "VirtualMachine/web-1" in found.message


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases make this more than" in only("\n".join(lines)).message


def test_a_bottomless_document_is_refused() -> None:
    assert "nested deeper" in only("a: " + "[" * 100 + "]" * 100).message
    assert "nested deeper" in only("[" * 100 + "]" * 100, "a.json").message


def test_an_option_of_a_newer_server_is_named_as_such() -> None:
    text = VM + "  config:\n    intel-tdx: 1\n"
    assert "is not known to PVE 8.4" in findings(text, version="8.4")[0].message


def test_a_secret_is_never_shown() -> None:
    text = VM.replace("VirtualMachine", "Container") + "  config:\n    password: 'abc\n"
    assert "abc" not in str(findings(text)[0]).partition("error:")[2]
    short = only(VM.replace("VirtualMachine", "Container") + "  config:\n    password: s3cr\n")
    assert "password is too short" in short.message
    assert "s3cr" not in str(short)


JSON_CASES = [
    ('{"apiVersion": "pmpc/v1",\n "kind": "Pool", "kind": "Pool"}', 2, 18, "duplicate key 'kind'"),
    ('{"apiVersion": "pmpc/v1",\n "kind": Pool}', 2, 10, "this is not JSON: expected a value"),
    ('{"apiVersion": "pmpc/v1",}', 1, 26, "a comma too many"),
    ("{'a': 1}", 1, 2, "expected a key in double quotes"),
    ('{"a": "x', 1, 7, "unterminated string"),
    ('{"a" 1}', 1, 6, "expected ':'"),
    ('{"apiVersion": "pmpc/v1", "kind": "VirtualMachine", "metadata": {"name": "a"},\n'
     ' "spec": {"config": {\n  "coers": 2}}}', 3, 3, "unknown option 'coers'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "column", "message"), JSON_CASES)
def test_mistakes_in_json_have_places_too(text: str, line: int, column: int, message: str) -> None:
    found = only(text, "stack.json")
    assert (found.line, found.column) == (line, column), str(found)
    assert message in found.message
