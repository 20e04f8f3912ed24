"""Secrets that PVE's answers may carry are nowhere in the database's files."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine, select

from pmpc_state import State
from pmpc_state.canonical import is_fingerprint
from pmpc_state.readmodels import CorosyncTotem
from pmpc_state.schema import metadata
from pmpc_state.testing import Recorder

SECRETS = {
    "cipassword": "pw-cloud-init-8f3a",
    "password": "pw-storage-71bc",
    "keyring": "AQDfkeyring5d1e==",
    "private-key": "-----BEGIN PRIVATE KEY-----\nMIIEmaterial9a\n-----END PRIVATE KEY-----",
    "token": "gotify-token-33aa",
    "description": "console: password=pw-in-words-44 thanks",
    "args": "-device x,token=tk-in-args-55",
    "endpoint": "root@pam!ci=12345678-1234-1234-1234-123456789abc",
}
NEEDLES = (
    "pw-cloud-init-8f3a", "pw-storage-71bc", "AQDfkeyring5d1e", "MIIEmaterial9a",
    "gotify-token-33aa", "pw-in-words-44", "tk-in-args-55", "123456789abc",
)  # fmt: skip


def _fill(state: State, recorder: Recorder) -> None:
    recorder.look("qemu", {"100": {"name": "web", **SECRETS}})
    writer = state.writer()
    writer.releases.add_revision("lab", "shop", [], actor="alice")
    writer.ownership.record(
        "lab", "shop", "VirtualMachine/web", kind="qemu", key="100", identity={},
        fields={"config.cipassword": SECRETS["cipassword"], "config.cores": 2},
    )  # fmt: skip
    writer.audit.append(actor="alice", action="apply", subject="shop", detail=dict(SECRETS))


def test_no_row_holds_a_secret(url: str, state: State, recorder: Recorder) -> None:
    _fill(state, recorder)
    engine = create_engine(url)
    with engine.connect() as connection:
        rows = [
            row for table in metadata.sorted_tables for row in connection.execute(select(table))
        ]
    text = repr(rows)
    engine.dispose()
    assert "hmac-sha256:" in text
    assert [needle for needle in NEEDLES if needle in text] == []


def test_no_byte_of_the_files_holds_a_secret_or_the_key(tmp_path: Path) -> None:
    path = tmp_path / "db" / "state.sqlite"
    with State.open(f"sqlite:///{path}") as state:
        _fill(state, Recorder(state))
        key = (path.with_name("state.sqlite.key")).read_text().strip()
        content = b"".join(
            file.read_bytes() for file in path.parent.iterdir() if file.suffix != ".key"
        )
    assert b"hmac-sha256:" in content
    assert [needle for needle in (*NEEDLES, key) if needle.encode() in content] == []


def test_a_changed_secret_is_seen_without_being_shown(state: State, recorder: Recorder) -> None:
    recorder.look("storage", {"cifs": {"password": "one"}})
    before = state.writer().snapshot("lab", "before")
    recorder.look("storage", {"cifs": {"password": "two"}})
    [change] = state.reader().diff("lab", before.taken_at)
    [field] = change.fields
    assert (field.path, field.old) == ("password", state.fingerprint("one"))
    assert field.new == state.fingerprint("two")


def test_what_is_recorded_of_corosync_shows_its_time_out(state: State, recorder: Recorder) -> None:
    recorder.look("corosync-totem", {"cluster": {"token": "1000"}})
    recorder.look("metric-server", {"influx": {"token": "1000"}})
    reader = state.reader()
    assert reader.of(CorosyncTotem).get("lab", "cluster").token == 1000
    assert is_fingerprint(reader.resource("lab", "metric-server", "influx").config["token"])
