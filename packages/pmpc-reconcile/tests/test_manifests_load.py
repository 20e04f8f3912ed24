"""Loading from files, folders and standard input."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from pmpc_reconcile.errors import ReconcileError
from pmpc_reconcile.manifests import (
    Address,
    CloneSource,
    ManifestInvalid,
    RestartPolicy,
    TemplateSource,
    load,
    load_text,
    manifest_from_document,
)
from pmpc_reconcile.values import Secret, SecretMark


def pool(name: str) -> str:
    return f"apiVersion: pmpc/v1\nkind: Pool\nmetadata: {{name: {name}}}\nspec: {{comment: c}}\n"


FULL = """\
apiVersion: pmpc/v1
kind: VirtualMachine
metadata:
  name: web-1
  labels: {tier: web, version: 1.10}
spec:
  vmid: 105
  placement: {nodes: [pve1, pve2]}
  source: {clone: {template: 9000, full: no, storage: local-lvm}}
  config:
    cores: 2
    cipassword: hunter2
    net0: {model: virtio, bridge: vmbr0}
  state: running
  pool: prod
  restart: {policy: window, window: "sun 02:00"}
  protect: yes
  replace: allow
  conflicts: {config.memory: theirs}
"""


def test_folders_are_read_in_order_with_their_subfolders(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "b.yml").write_text(pool("b") + "---\n" + pool("b2"))
    (tmp_path / "a.yaml").write_text(pool("a"))
    (tmp_path / "sub" / "c.json").write_text(
        json.dumps({"apiVersion": "pmpc/v1", "kind": "Pool", "metadata": {"name": "c"}})
    )
    (tmp_path / "notes.txt").write_text("not a manifest")
    (tmp_path / ".hidden" / "d.yaml").write_text(pool("d"))
    assert [m.name for m in load(tmp_path)] == ["a", "b", "b2", "c"]
    assert [m.name for m in load([tmp_path / "b.yml", tmp_path])] == ["b", "b2", "a", "c"]


def test_a_dash_reads_standard_input() -> None:
    assert load("-", stdin=io.StringIO(pool("x")))[0].address == Address("Pool", "x")
    with pytest.raises(ManifestInvalid, match="<stdin>:2:7: error: unknown kind"):
        load(["-"], stdin=io.StringIO(pool("x").replace("Pool", "Poool")))


def test_lists_hold_many_documents() -> None:
    one = {"apiVersion": "pmpc/v1", "kind": "Pool", "metadata": {"name": "a"}}
    two = {**one, "metadata": {"name": "b"}}
    assert len(load_text(json.dumps([one, two]), name="x.json")) == 2
    assert len(load_text(json.dumps(one) + "\n" + json.dumps(two), name="x.json")) == 2
    assert len(load_text(json.dumps({"kind": "List", "items": [one, two]}))) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("gone.yaml", None, "there is no such file or folder"),
        ("latin.yaml", b"a: b\nname: \xe9\n", "latin.yaml:2:7: error: this is not UTF-8"),
        ("control.yaml", b"a: b\n\x01: c\n", "control.yaml:2:1: error: this is not YAML"),
        ("empty.yaml", b"# nothing\n---\n", "there are no manifests"),
    ],
)
def test_what_cannot_be_read_says_so(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ManifestInvalid) as caught:
        load(tmp_path / name)
    assert message in str(caught.value)


def test_an_empty_folder_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ManifestInvalid, match="no manifests in this folder"):
        load(tmp_path)


def test_duplicates_across_files_name_both(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(pool("x"))
    (tmp_path / "b.yaml").write_text("\n" + pool("x"))
    with pytest.raises(ManifestInvalid) as caught:
        load(tmp_path)
    (found,) = caught.value.diagnostics
    assert (found.file, found.line, found.column) == (str(tmp_path / "b.yaml"), 4, 18)
    assert found.hint == f"it is first at {tmp_path / 'a.yaml'}:3:18"


def test_the_error_is_one_of_this_package() -> None:
    assert issubclass(ManifestInvalid, ReconcileError)


def test_a_manifest_has_typed_views() -> None:
    (found,) = load_text(FULL, name="web.yaml")
    assert str(found.address) == "VirtualMachine/web-1"
    assert Address.parse(str(found.address)) == found.address
    assert found.labels == {"tier": "web", "version": "1.10"}
    assert found.vmid == 105
    assert found.nodes == ("pve1", "pve2")
    assert found.source == CloneSource(9000, full=False, storage="local-lvm")
    assert (found.state, found.pool, found.protect, found.replace) == (
        "running",
        "prod",
        True,
        "allow",
    )
    assert found.restart == RestartPolicy("window", "sun 02:00")
    assert found.resolutions == {"config.memory": "theirs"}
    assert str(found.position) == "web.yaml:4:9"
    assert found.fields["config.name"] == "web-1"
    assert found.fields["pool"] == "prod"


def test_a_manifest_points_into_its_file() -> None:
    (found,) = load_text(FULL, name="web.yaml")
    diagnostic = found.diagnose("there is no template 9000", "spec.source.clone.template")
    assert diagnostic.place == "web.yaml:9:30"
    assert diagnostic.address == "VirtualMachine/web-1"
    assert found.diagnose("x", "spec.config.net0.tag").place == "web.yaml:13:11"


def test_a_document_comes_back_the_same_without_its_secrets() -> None:
    (found,) = load_text(FULL)
    document = found.to_document(lambda text: f"mark-{len(text)}")
    assert "hunter2" not in json.dumps(document)
    assert "hunter2" not in repr(found)
    again = manifest_from_document(json.loads(json.dumps(document)))
    assert again.to_document() == document
    assert found.fields["config.cipassword"] == Secret("hunter2")
    assert again.fields["config.cipassword"] == SecretMark("mark-7")
    assert {k: v for k, v in again.fields.items() if "cipass" not in k} == {
        k: v for k, v in found.fields.items() if "cipass" not in k
    }
    assert again.diagnose("x").render() == "VirtualMachine/web-1: error: x"


def test_a_bad_document_is_refused() -> None:
    with pytest.raises(ManifestInvalid, match="unknown kind"):
        manifest_from_document({"apiVersion": "pmpc/v1", "kind": "X", "metadata": {"name": "a"}})


def test_a_container_is_made_of_an_image_or_a_clone() -> None:
    text = (
        "apiVersion: pmpc/v1\nkind: Container\nmetadata: {name: ct}\nspec:\n"
        "  source: {template: 'local:vztmpl/debian.tar.zst'}\n"
        "  config: {password: geheim, rootfs: 'local-lvm:8', unprivileged: yes}\n"
    )
    (found,) = load_text(text)
    assert found.source == TemplateSource("local:vztmpl/debian.tar.zst")
    assert found.create_only == {
        "password": Secret("geheim"),
        "ostemplate": "local:vztmpl/debian.tar.zst",
    }
    assert found.fields["config.hostname"] == "ct"
    assert found.fields["config.unprivileged"] is True
    assert "config.password" not in found.fields
    both = text.replace("{template:", "{clone: {template: x}, template:")
    with pytest.raises(ManifestInvalid, match="only one of them"):
        load_text(both)


def test_pool_members_are_sets() -> None:
    text = pool("p").replace("{comment: c}", "{guests: [105, VirtualMachine/a], storage: [local]}")
    assert load_text(text)[0].fields == {
        "guests.105": True,
        "guests.VirtualMachine/a": True,
        "storage.local": True,
    }
    with pytest.raises(ManifestInvalid, match="must be a vmid or an address"):
        load_text(text.replace("VirtualMachine/a", "web"))


def test_paths_of_conflicts_name_fields_or_what_is_above_them() -> None:
    paths = (
        "config config.cores config.net0 config.net0.rate config.tags config.tags.v1.2 state pool"
        " config.scsi0.storage config.boot.order config.cpu.flags"
    )
    words = dict.fromkeys(paths.split(), "ours")
    document = {"apiVersion": "pmpc/v1", "kind": "VirtualMachine", "metadata": {"name": "a"}}
    text = json.dumps({**document, "spec": {"conflicts": words}})
    assert load_text(text, name="a.json")[0].resolutions == words
    pool = {**document, "kind": "Pool"}
    words = dict.fromkeys(("comment", "guests", "guests.101", "storage.nfs"), "theirs")
    spec = {"guests": [101], "storage": ["nfs"], "conflicts": words}
    text = json.dumps({**pool, "spec": spec})
    assert load_text(text, name="a.json")[0].resolutions == words
