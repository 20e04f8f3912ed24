"""Bad input to the real command: a clear error with its place, exit code 2, nothing changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.cli_process import pmpc, succeed
from tests.e2e.site import Site

GOOD = """\
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  source: {clone: {template: debian-13}}
  config:
    cores: 2
"""


@pytest.fixture
def _unchanged(site: Site) -> Iterator[None]:
    before = {vmid: guest.digest for vmid, guest in site.cluster.guests.items()}
    yield
    assert before == {vmid: guest.digest for vmid, guest in site.cluster.guests.items()}
    assert not any(node.tasks for node in site.cluster.nodes.values())


@pytest.mark.usefixtures("_unchanged")
@pytest.mark.parametrize("verb", ["plan", "apply"])
@pytest.mark.parametrize(
    ("wrong", "place", "words"),
    [
        pytest.param(
            GOOD.replace("cores", "coers"), ":7:5:", ("coers", "cores"), id="typo in a key"
        ),
        pytest.param(GOOD + "    cores: 4\n", ":8:5:", ("cores",), id="duplicate key"),
        pytest.param(
            GOOD.replace("VirtualMachine", "VirtualMachin"),
            ":2:7:",
            ("VirtualMachin", "VirtualMachine"),
            id="unknown kind",
        ),
        pytest.param(
            GOOD.replace("cores: 2", "cores: 0"), ":7:12:", ("cores",), id="value out of range"
        ),
        pytest.param(
            GOOD.replace("debian-13", "debian-31"),
            ":5:",
            ("debian-31",),
            id="missing template",
        ),
        pytest.param("kind: [\n", ":2:1:", (), id="no YAML"),
    ],
)
def test_mistakes_in_manifests_have_a_place_and_a_suggestion(
    site: Site, tmp_path: Path, verb: str, wrong: str, place: str, words: tuple[str, ...]
) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(wrong)
    yes = ("--yes",) if verb == "apply" else ()
    done = pmpc(site.environ, verb, "-f", str(path), *yes)
    assert done.code == 2, (done.out, done.err)
    assert f"{path}{place}" in done.err
    assert "error: " in done.err
    assert all(word in done.err for word in words)


@pytest.mark.usefixtures("_unchanged")
def test_all_mistakes_are_told_at_once(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(GOOD.replace("cores: 2", "coers: 2\n    memory: 1"))
    err = pmpc(site.environ, "plan", "-f", str(path)).err
    assert err.count("error: ") == 2


@pytest.mark.usefixtures("_unchanged")
@pytest.mark.parametrize("verb", ["plan", "apply"])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        pytest.param("config.memroy=ours", ("memroy", "memory"), id="no such field"),
        pytest.param("VirtualMachine/web-2:config.cores=ours", ("web-2", "web-1"), id="no object"),
        pytest.param("config.cores=mine", ("mine", "ours"), id="no such choice"),
    ],
)
def test_an_answer_to_a_conflict_that_names_nothing_is_refused(
    site: Site, tmp_path: Path, verb: str, answer: str, words: tuple[str, ...]
) -> None:
    path = tmp_path / "web.yaml"
    path.write_text(GOOD)
    yes = ("--yes",) if verb == "apply" else ()
    done = pmpc(site.environ, verb, "-f", str(path), "--resolve", answer, *yes)
    assert done.code == 2, (done.out, done.err)
    assert all(word in done.err for word in words), done.err


@pytest.mark.usefixtures("_unchanged")
def test_a_missing_manifest_file_is_named(site: Site) -> None:
    done = pmpc(site.environ, "plan", "-f", "no-such-file.yaml")
    assert done.code in (1, 2)
    assert "no-such-file.yaml" in done.err


def database(site: Site) -> Path:
    return site.home / "lab.db"


def set_version(path: Path, version: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE pmpc_state_version SET version_num = ?", (version,))


@pytest.mark.usefixtures("_unchanged")
def test_a_database_newer_than_the_code_is_left_alone(site: Site, tmp_path: Path) -> None:
    succeed(site.environ, "sync")
    set_version(database(site), "9999")
    content = database(site).read_bytes()
    path = tmp_path / "web.yaml"
    path.write_text(GOOD)
    for words in (
        ("sync",),
        ("get", "vm"),
        ("plan", "-f", str(path)),
        ("apply", "-f", str(path), "--yes"),
        ("state", "check"),
        ("state", "migrate"),
    ):
        done = pmpc(site.environ, *words)
        assert done.code == 1, words
        assert "newer pmpc" in done.err
        assert "upgrade" in done.err
    assert database(site).read_bytes() == content


def test_state_check_and_migrate_agree_on_a_fresh_database(site: Site) -> None:
    assert pmpc(site.environ, "state", "check").code == 1, "there is no database yet"
    assert "moved from version none" in succeed(site.environ, "state", "migrate").out
    assert "up to date" in succeed(site.environ, "state", "check").out
    assert "up to date" in succeed(site.environ, "state", "migrate").out


@pytest.mark.usefixtures("_unchanged")
def test_a_server_that_went_away_is_named(site: Site) -> None:
    text = Path(site.environ["PMPC_CONFIG"]).read_text()
    Path(site.environ["PMPC_CONFIG"]).write_text(text.replace(site.url, "https://127.0.0.1:9"))
    done = pmpc(site.environ, "sync")
    assert done.code == 1
    assert "127.0.0.1:9" in done.err
