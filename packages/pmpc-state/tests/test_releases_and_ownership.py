"""Releases, revisions, managed objects and their fields."""

from __future__ import annotations

import pytest

from pmpc_state import NotRecorded, RevisionStatus, State, is_fingerprint
from proxmox_client.testing.clock import VirtualClock

WEB = {"kind": "VirtualMachine", "metadata": {"name": "web"}, "spec": {"config": {"cores": 2}}}


def _apply(state: State, release: str = "shop") -> None:
    state.writer().releases.add_revision("lab", release, [WEB], actor="alice")


def test_revisions_count_up_and_keep_their_manifests(state: State, clock: VirtualClock) -> None:
    releases = state.writer().releases
    first = releases.add_revision("lab", "shop", [WEB], actor="alice", note="first")
    clock.advance(5)
    second = releases.add_revision("lab", "shop", [], actor="bob", action="rollback")
    assert (first.number, second.number) == (1, 2)
    assert releases.revisions("lab", "shop") == (second, first)
    assert releases.revision("lab", "shop") == second
    assert releases.revision("lab", "shop", 1).manifests == (WEB,)
    assert releases.get("lab", "shop").revision == 2


def test_a_revisions_status_moves_on(state: State) -> None:
    _apply(state)
    state.writer().releases.set_status("lab", "shop", 1, RevisionStatus.APPLIED)
    assert state.reader().releases.revision("lab", "shop").status is RevisionStatus.APPLIED
    with pytest.raises(NotRecorded, match="revision 7"):
        state.writer().releases.set_status("lab", "shop", 7, RevisionStatus.APPLIED)


def test_a_deleted_release_keeps_its_history_and_can_come_back(state: State) -> None:
    _apply(state)
    writer, reader = state.writer().releases, state.reader().releases
    writer.mark_deleted("lab", "shop")
    assert reader.list("lab") == ()
    assert [entry.name for entry in reader.list("lab", deleted=True)] == ["shop"]
    assert len(reader.revisions("lab", "shop")) == 1
    _apply(state)
    assert reader.get("lab", "shop").deleted_at is None
    assert reader.revision("lab", "shop").number == 2


def test_what_is_not_there_says_so(state: State) -> None:
    reader = state.reader().releases
    assert reader.find("lab", "shop") is None
    assert reader.list("lab") == ()
    assert reader.revisions("lab", "shop") == ()
    with pytest.raises(NotRecorded, match="cluster lab"):
        reader.get("lab", "shop")
    state.writer().clusters.ensure("lab")
    with pytest.raises(NotRecorded, match="never applied"):
        reader.revision("lab", "shop")
    _apply(state)
    with pytest.raises(NotRecorded, match="revision 3"):
        reader.revision("lab", "shop", 3)


def test_ownership_is_replaced_as_a_whole(state: State) -> None:
    _apply(state)
    owns = state.writer().ownership
    identity = {"uuid": "abc"}
    for applied in (
        {"config.cores": 2, "x": 1},
        {"config.cores": 4, "config.tags.web": True, "config.net0": {"model": "virtio"}},
    ):
        owns.record(
            "lab",
            "shop",
            "VirtualMachine/web",
            kind="qemu",
            key="100",
            identity=identity,
            fields=applied,
        )
    fields = {field.path: field.applied for field in owns.fields("lab", "shop")}
    assert fields == {
        "config.cores": 4,
        "config.tags.web": True,
        "config.net0": {"model": "virtio"},
    }
    [entry] = owns.objects("lab", "shop")
    assert (entry.address, entry.kind, entry.key) == ("VirtualMachine/web", "qemu", "100")
    assert entry.identity == identity
    owns.forget("lab", "shop", "VirtualMachine/web")
    assert owns.objects("lab") == ()
    assert owns.fields("lab", "shop") == ()


def test_secret_fields_are_fingerprints(state: State) -> None:
    _apply(state)
    mark = state.fingerprint("elsewhere")
    state.writer().ownership.record(
        "lab",
        "shop",
        "VirtualMachine/web",
        kind="qemu",
        key="100",
        identity={},
        fields={"config.cipassword": "hunter2", "config.other": mark, "config.name": "web"},
    )
    fields = {field.path: field for field in state.reader().ownership.fields("lab", "shop")}
    assert fields["config.cipassword"].applied is None
    assert fields["config.cipassword"].fingerprint == state.fingerprint("hunter2")
    assert fields["config.other"].fingerprint == mark
    assert is_fingerprint(mark)
    assert (fields["config.name"].applied, fields["config.name"].fingerprint) == ("web", None)


def test_a_field_without_a_value_is_refused(state: State) -> None:
    _apply(state)
    with pytest.raises(ValueError, match="has a value"):
        state.writer().ownership.record(
            "lab", "shop", "a", kind="qemu", key="1", identity={}, fields={"x": None}
        )
    assert state.reader().ownership.objects("lab") == ()


def test_every_claim_on_an_object_is_found(state: State) -> None:
    for release in ("shop", "monitoring"):
        _apply(state, release)
        state.writer().ownership.record(
            "lab", release, "VirtualMachine/web", kind="qemu", key="100", identity={}, fields={}
        )
    claims = state.reader().ownership.owners("lab", "qemu", "100")
    assert [claim.release for claim in claims] == ["monitoring", "shop"]
    assert state.reader().ownership.owners("lab", "lxc", "100") == ()


def test_a_transaction_happens_as_a_whole(state: State) -> None:
    class Stop(Exception):
        pass

    def work() -> None:
        with state.transaction() as writer:
            writer.releases.add_revision("lab", "shop", [WEB], actor="alice")
            writer.audit.append(actor="alice", action="apply", subject="shop")
            assert writer.releases.get("lab", "shop").revision == 1
            raise Stop

    with pytest.raises(Stop):
        work()
    assert state.reader().clusters.list() == ()
    assert state.reader().audit.entries() == ()
