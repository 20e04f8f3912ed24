"""Observed objects, syncs and changes as people read them, and the structured forms."""

from __future__ import annotations

import json

import pytest

from pmpc_cli.failures import CommandRefused
from pmpc_cli.present.observed import changes_lines, resource_columns, sync_lines
from pmpc_cli.present.output import RowFormat, row_format, show_rows
from pmpc_cli.present.revisions import revision_columns
from pmpc_cli.present.table import table
from pmpc_cli.present.values import show_value
from pmpc_reconcile.actions import to_plain
from pmpc_reconcile.actions.changes import ChangesOutput, ObjectChange
from pmpc_reconcile.actions.sync import SyncOutput
from pmpc_reconcile.actions.views import FieldDifference, ResourceView, RevisionView

WEB = ResourceView(
    "qemu",
    "100",
    "web-1",
    "pve1",
    "running",
    facts={"maxcpu": 2, "maxmem": 4294967296, "lock": "backup"},
    since="2026-11-22T16:00:00.250000+00:00",
)
NODE = ResourceView("node", "pve1", "pve1", "pve1", "online")


def test_one_kind_is_shown_with_its_own_key() -> None:
    lines = [line.plain for line in table([WEB], resource_columns([WEB]))]
    assert lines == ["VMID   NAME    NODE   STATUS", "100    web-1   pve1   running"]


def test_several_kinds_are_shown_with_their_kind() -> None:
    lines = [line.plain for line in table([NODE, WEB], resource_columns([NODE, WEB]))]
    assert lines[0].split() == ["KIND", "KEY", "NAME", "NODE", "STATUS"]
    assert lines[1].split()[0] == "node"


def test_columns_that_would_say_nothing_are_left_out() -> None:
    assert [line.plain for line in table([NODE], resource_columns([NODE]))] == [
        "NAME   STATUS",
        "pve1   online",
    ]
    volume = ResourceView("content", "shared:100/a.raw", "shared:100/a.raw", None, "unknown")
    assert [line.plain for line in table([volume], resource_columns([volume]))] == [
        "VOLUME",
        "shared:100/a.raw",
    ]


def test_wide_adds_size_lock_and_since() -> None:
    line = table([WEB], resource_columns([WEB]), wide=True)[1].plain
    assert "4 GiB" in line
    assert "backup" in line
    assert line.endswith("2026-11-22T16:00:00Z")


def test_a_sync_says_what_was_new_and_leaves_out_zeros() -> None:
    done = SyncOutput("lab", 2, 0, 1, 5, 3, ())
    (line,) = [line.plain for line in sync_lines(done)]
    assert line == "lab: 2 new, 1 gone, 5 as before, 3 unknown (not seen this time)"


def test_changes_name_object_field_values_time_and_actor() -> None:
    found = ChangesOutput(
        "lab",
        "2026-11-22T15:00:00+00:00",
        "2026-11-22T16:00:00+00:00",
        (
            ObjectChange("lxc", "101", "cache", "created"),
            ObjectChange(
                "qemu",
                "100",
                "web-1",
                "changed",
                (FieldDifference("memory", "2048", "4096"), FieldDifference("lock", None, "x")),
                "2026-11-22T15:30:00+00:00",
                "alice@pve",
            ),
        ),
    )
    assert [line.plain for line in changes_lines(found)][1:] == [
        "+ lxc/101 (cache) created",
        "~ qemu/100 (web-1) changed   2026-11-22T15:30:00Z by alice@pve",
        "    ~ memory  2048 → 4096",
        "    + lock    x",
    ]


def test_no_changes_are_said_to_be_none() -> None:
    assert changes_lines(ChangesOutput("lab", "a", "b", ()))[1].plain.strip() == "none"


def test_revisions_are_a_table() -> None:
    revision = RevisionView(
        "shop", 3, "2026-11-22T16:00:00.5+00:00", "deployed", "rollback to 1", ("Pool/shop",)
    )
    line = table([revision], revision_columns())[1].plain
    assert line.split()[:2] == ["shop", "3"]
    assert line.endswith("rollback to 1")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "true"),
        (2048, "2048"),
        ("", '""'),
        (" a", '" a"'),
        ("a\nb", '"a\\nb"'),
        (("web", "db"), "web, db"),
        ({"model": "virtio", "tag": 20}, "model=virtio, tag=20"),
        (None, "(absent)"),
        ("x" * 100, "x" * 71 + "…"),
    ],
)
def test_values_are_one_short_line(value: object, shown: str) -> None:
    assert show_value(value) == shown


def shown(form: RowFormat, capsys: pytest.CaptureFixture[str]) -> str:
    show_rows(
        [WEB],
        resource_columns([WEB]),
        form,
        name=lambda item: f"{item.kind}/{item.key}",
        plain=to_plain,
        nothing="nothing",
    )
    return capsys.readouterr().out


def test_json_and_yaml_carry_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(shown("json", capsys))[0]["facts"]["maxcpu"] == 2
    assert "- kind: qemu\n  key: '100'\n" in shown("yaml", capsys)


def test_name_is_kind_and_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown("name", capsys) == "qemu/100\n"


def test_piped_data_is_json_unless_the_environment_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PMPC_OUTPUT", raising=False)
    assert row_format(None) == "json", "stdout is not a terminal in tests"
    monkeypatch.setenv("PMPC_OUTPUT", "wide")
    assert row_format(None) == "wide"
    assert row_format("yaml") == "yaml"
    monkeypatch.setenv("PMPC_OUTPUT", "xml")
    with pytest.raises(CommandRefused):
        row_format(None)
