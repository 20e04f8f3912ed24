"""The ownership table, row by row."""

from __future__ import annotations

import json

import pytest

from pmpc_reconcile.diff import Action, Diff, FieldChange, three_way
from pmpc_reconcile.kinds import kind
from pmpc_reconcile.values import ABSENT, FieldValue, Secret, SecretMark

VM, CT = kind("VirtualMachine"), kind("Container")
MEMORY = "config.memory"
Value = FieldValue | None


def one(
    base: Value,
    ours: Value,
    theirs: Value,
    *,
    path: str = MEMORY,
    resolution: str | None = None,
    owner: str | None = None,
) -> tuple[Action | None, Diff]:
    def fields(value: Value) -> dict[str, FieldValue]:
        return {} if value is None else {path: value}

    diff = three_way(
        VM,
        fields(ours),
        fields(theirs),
        fields(base),
        resolutions={} if resolution is None else {path: resolution},
        others={} if owner is None else {path: owner},
    )
    return (diff.fields[0].action if diff.fields else None), diff


# base, ours, theirs, resolution, other owner -> action, recorded afterwards
TABLE: list[tuple[Value, Value, Value, str | None, str | None, Action | None, Value]] = [
    # not ours, not declared: not there
    (None, None, 1024, None, None, None, None),
    # declared for the first time
    (None, 1024, None, None, None, Action.ADD, 1024),
    (None, 1024, 1024, None, None, Action.UNCHANGED, 1024),
    (None, 1024, 2048, None, None, Action.CHANGE, 1024),
    (None, 1024, 1024, None, "ci", Action.UNCHANGED, 1024),
    (None, 1024, 2048, None, "ci", Action.CONFLICT, None),
    (None, 1024, 2048, "ours", "ci", Action.CHANGE, 1024),
    (None, 1024, 2048, "theirs", "ci", Action.KEEP, None),
    (None, 1024, 2048, "ignore", None, Action.KEEP, None),
    # the default is what nothing means
    (None, 512, None, None, None, Action.UNCHANGED, 512),
    (512, 512, None, None, None, Action.UNCHANGED, 512),
    # ours and declared
    (1024, 1024, 1024, None, None, Action.UNCHANGED, 1024),
    (1024, 2048, 1024, None, None, Action.CHANGE, 2048),
    (1024, 2048, 2048, None, None, Action.UNCHANGED, 2048),
    (1024, 2048, 2048, None, "ci", Action.UNCHANGED, 2048),
    (1024, 2048, 1024, None, "ci", Action.CONFLICT, 1024),
    # somebody else changed it
    (1024, 1024, 4096, None, None, Action.CONFLICT, 1024),
    (1024, 2048, 4096, None, None, Action.CONFLICT, 1024),
    (1024, 1024, None, None, None, Action.CONFLICT, 1024),
    (1024, 1024, 4096, "ours", None, Action.CHANGE, 1024),
    (1024, 2048, 4096, "ours", None, Action.CHANGE, 2048),
    (1024, 1024, 4096, "theirs", None, Action.KEEP, 1024),
    (1024, 1024, 4096, "ignore", None, Action.KEEP, 1024),
    # nothing to resolve: a resolution has no effect
    (1024, 2048, 1024, "theirs", None, Action.CHANGE, 2048),
    (1024, 1024, 1024, "theirs", None, Action.UNCHANGED, 1024),
    # no longer declared
    (1024, None, 1024, None, None, Action.REMOVE, None),
    (1024, None, 4096, None, None, Action.RELEASE, None),
    (1024, None, None, None, None, Action.RELEASE, None),
    (1024, None, 1024, None, "ci", Action.RELEASE, None),
]


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "resolution", "owner", "action", "recorded"), TABLE
)
def test_the_table(
    base: Value,
    ours: Value,
    theirs: Value,
    resolution: str | None,
    owner: str | None,
    action: Action | None,
    recorded: Value,
) -> None:
    found, diff = one(base, ours, theirs, resolution=resolution, owner=owner)
    assert found is action
    assert diff.owned_after() == ({} if recorded is None else {MEMORY: recorded})
    assert diff.empty is (action in (None, Action.UNCHANGED, Action.KEEP, Action.RELEASE))


def test_the_power_state_is_level_based() -> None:
    assert one("running", "running", "stopped", path="state")[0] is Action.CHANGE
    assert one("running", None, "running", path="state")[0] is Action.RELEASE
    assert one("running", "running", "stopped", path="state", resolution="ignore")[0] is Action.KEEP


def test_elements_of_a_set_have_their_own_owners() -> None:
    diff = three_way(
        VM,
        {"config.tags.web": True, "config.tags.new": True},
        {"config.tags.web": True, "config.tags.theirs": True, "config.tags.old": True},
        {"config.tags.web": True, "config.tags.old": True},
    )
    assert {change.path: change.action for change in diff.changes} == {
        "config.tags.new": Action.ADD,
        "config.tags.old": Action.REMOVE,
    }
    assert not diff.conflicts


def test_a_resolution_counts_for_everything_below_its_path() -> None:
    diff = three_way(
        VM,
        {"config.net0.tag": 1, "config.memory": 1024},
        {"config.net0.tag": 2, "config.memory": 2048},
        {"config.net0.tag": 1, "config.memory": 1024},
        resolutions={"config.net0": "theirs"},
    )
    assert [field.path for field in diff.conflicts] == ["config.memory"]
    assert diff.conflicts[0].reason == "somebody else changed it"


def test_a_grown_disk_is_never_shrunk_back() -> None:
    ours: dict[str, FieldValue] = {"config.scsi0.size": "32G"}
    diff = three_way(VM, ours, {"config.scsi0.size": "64G"}, ours)
    assert [field.action for field in diff.fields] == [Action.CONFLICT]


def test_a_volume_rounded_up_by_its_storage_is_as_declared() -> None:
    diff = three_way(VM, {"config.scsi0.size": "51200K"}, {"config.scsi0.size": "52M"}, {})
    assert diff.empty


def test_options_of_creation_are_never_compared() -> None:
    ours: dict[str, FieldValue] = {
        "config.scsi0.storage": "local",
        "config.scsi0.import-from": "local:import/a.qcow2",
        "config.scsi0.format": "qcow2",
    }
    made = three_way(VM, ours, {"config.scsi0.storage": "local"}, {})
    assert made.empty
    assert set(made.owned_after()) == set(ours)
    assert len(three_way(VM, ours, {}, {}).changes) == 3
    firmware: dict[str, FieldValue] = {"config.efidisk0.efitype": "4m"}
    assert three_way(VM, firmware, {"config.efidisk0.volume": "local:x"}, {}).empty


def mark(text: str) -> str:
    return f"mark-{text}"


@pytest.mark.parametrize(
    ("base", "there", "action"),
    [
        (None, False, Action.ADD),
        (None, True, Action.CHANGE),
        ("mark-new", True, Action.UNCHANGED),
        ("mark-old", True, Action.CHANGE),
        ("mark-new", False, Action.CONFLICT),
    ],
)
def test_a_secret_is_compared_with_what_we_remember(
    base: str | None, there: bool, action: Action
) -> None:
    path = "config.cipassword"
    diff = three_way(
        VM,
        {path: Secret("new")},
        {path: SecretMark()} if there else {},
        {} if base is None else {path: SecretMark(base)},
        fingerprint=mark,
    )
    assert [field.action for field in diff.fields] == [action]


def test_a_secret_no_longer_declared_is_removed() -> None:
    path = "config.cipassword"
    diff = three_way(VM, {}, {path: SecretMark()}, {path: SecretMark("m")}, fingerprint=mark)
    assert [field.action for field in diff.fields] == [Action.REMOVE]


NET0: dict[str, FieldValue] = {"config.net0.model": "virtio", "config.net0.bridge": "vmbr0"}
LIVE0: dict[str, FieldValue] = {**NET0, "config.net0.macaddr": "BC:24:11:00:00:01"}


def test_removing_a_card_conflicts_with_what_others_set_on_it() -> None:
    assert {f.action for f in three_way(VM, {}, LIVE0, NET0).fields} == {Action.REMOVE}
    theirs = {**LIVE0, "config.net0.rate": 5}
    kept = three_way(VM, {}, theirs, NET0)
    assert {f.action for f in kept.fields} == {Action.CONFLICT}
    assert "rate" in kept.conflicts[0].reason
    forced = three_way(VM, {}, theirs, NET0, resolutions={"config.net0": "ours"})
    assert {f.action for f in forced.fields} == {Action.REMOVE}


def test_changes_survive_json_without_secrets() -> None:
    for change in (
        FieldChange(path=MEMORY, action=Action.CHANGE, base=1, live=2, desired=3, owner="ci"),
        FieldChange(path=MEMORY, action=Action.ADD, desired=3, reason="why"),
    ):
        form = json.loads(json.dumps(change.to_dict(mark)))
        assert FieldChange.from_dict(form) == change
    secret = FieldChange(path="config.cipassword", action=Action.ADD, desired=Secret("geheim"))
    form = secret.to_dict(lambda _: "m")
    assert "geheim" not in json.dumps(form)
    assert FieldChange.from_dict(form).desired == SecretMark("m")
    assert FieldChange.from_dict(form).live is ABSENT


def test_a_fixed_option_shows_as_a_change() -> None:
    diff = three_way(CT, {"config.unprivileged": True}, {}, {})
    assert [field.live for field in diff.changes] == [False]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("config.memory", 1024),
        ("config.ostype", "debian"),
        ("config.unprivileged", True),
        ("config.rootfs.storage", "local-lvm"),
    ],
)
def test_what_pve_refuses_to_unset_stays(path: str, value: FieldValue) -> None:
    diff = three_way(CT, {}, {path: value}, {path: value})
    assert [field.action for field in diff.fields] == [Action.RELEASE]
    assert diff.owned_after() == {}


def test_other_keys_of_a_kept_option_are_removed() -> None:
    ours: dict[str, FieldValue] = {"config.rootfs.quota": True}
    live: dict[str, FieldValue] = {**ours, "config.rootfs.volume": "local:a"}
    assert [field.action for field in three_way(CT, {}, live, ours).fields] == [Action.REMOVE]
