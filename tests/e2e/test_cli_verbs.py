"""The daily verbs of `pmpc` as processes: look, plan, apply, see conflicts, roll back, delete."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli_process import PMPC, on_terminal, pmpc, succeed, unread
from tests.e2e.site import Site

STACK = """\
apiVersion: pmpc/v1
kind: Pool
metadata: {name: shop}
spec: {comment: ours}
---
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  placement: {nodes: [pve1]}
  source: {clone: {template: debian-13}}
  pool: shop
  config:
    cores: 2
    onboot: true
    tags: [web]
  state: running
"""


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    path = tmp_path / "stack.yaml"
    path.write_text(STACK)
    return path


def listed(site: Site, *words: str) -> Any:
    return json.loads(succeed(site.environ, "get", *words, "-o", "json").out)


def vm(site: Site, name: str) -> Any:
    (found,) = [guest for guest in site.cluster.guests.values() if guest.name == name]
    return found


def names(site: Site) -> set[str]:
    return {guest.name for guest in site.cluster.guests.values()}


def applied(site: Site, stack: Path) -> None:
    succeed(site.environ, "apply", "-f", str(stack), "-r", "shop", "--yes")


def test_sync_and_get_answer_in_every_form(site: Site) -> None:
    assert succeed(site.environ, "sync").out.startswith("lab: ")
    assert {item["name"] for item in listed(site, "vm")} == {"debian-13", "db-1"}
    piped = succeed(site.environ, "get", "vm").out
    assert all(item["config"]["name"] == item["name"] for item in json.loads(piped)), "JSON"
    table = succeed(site.environ, "get", "vm", "-o", "table").out.splitlines()
    assert table[0].split() == ["VMID", "NAME", "NODE", "STATUS"]
    assert ["100", "db-1", "pve2", "running"] in [line.split() for line in table]
    assert "qemu/100" in succeed(site.environ, "get", "vm", "-o", "name").out.split()
    one = succeed(site.environ, "get", "vm/db-1", "-o", "yaml").out
    assert "memory: " in one
    assert {item["key"] for item in listed(site, "node")} == {"pve1", "pve2", "pve3"}
    assert [item["name"] for item in listed(site, "vm", "db-*")] == ["db-1"]


def test_get_of_what_is_not_there_says_so(site: Site) -> None:
    succeed(site.environ, "sync")
    done = pmpc(site.environ, "get", "vm", "nobody")
    assert done.code == 1
    assert "nobody" in done.err


def test_a_plan_shows_changes_and_exit_codes_and_changes_nothing(site: Site, stack: Path) -> None:
    before = names(site)
    done = succeed(site.environ, "plan", "-f", str(stack), "-r", "shop")
    assert "+ VirtualMachine/web-1 will be created" in done.out
    assert "Plan: 2 to create" in done.out
    again = pmpc(site.environ, "plan", "-f", str(stack), "-r", "shop", "--detailed-exitcode")
    assert again.code == 3
    assert names(site) == before
    assert not site.cluster.pools


def test_apply_needs_yes_when_nobody_can_be_asked(site: Site, stack: Path) -> None:
    done = pmpc(site.environ, "apply", "-f", str(stack), "-r", "shop")
    assert done.code == 2
    assert "--yes" in done.err
    assert "web-1" not in names(site)


def test_on_a_terminal_apply_asks_and_no_changes_nothing(site: Site, stack: Path) -> None:
    words = ("apply", "-f", str(stack), "-r", "shop")
    code, text = on_terminal(site.environ, *words, answer="n\n")
    assert code == 1
    assert "Do this on cluster lab? [y/N]" in text
    assert "Nothing was changed." in text
    assert "web-1" not in names(site)
    code, text = on_terminal(site.environ, *words, answer="y\n")
    assert code == 0, text
    assert "web-1" in names(site)


@pytest.mark.parametrize(
    ("key", "code", "last"),
    [
        pytest.param("\x03", 130, "interrupted; nothing was changed", id="^C"),
        pytest.param("\x04", 1, "Nothing was changed.", id="^D"),
    ],
)
def test_control_keys_at_the_question_change_nothing(
    site: Site, stack: Path, key: str, code: int, last: str
) -> None:
    words = ("apply", "-f", str(stack), "-r", "shop")
    ended, text = on_terminal(site.environ, *words, answer=key, asked="[y/N]")
    assert ended == code, text
    assert text.splitlines()[-1] == last
    assert "web-1" not in names(site)


def test_apply_makes_it_so_and_the_second_apply_writes_nothing(site: Site, stack: Path) -> None:
    done = succeed(site.environ, "apply", "-f", str(stack), "-r", "shop", "--yes")
    assert "release shop is at revision 1" in done.out
    assert "VirtualMachine/web-1" in done.err, "progress goes to stderr"
    made = vm(site, "web-1")
    assert (made.status, made.node, made.config["cores"]) == ("running", "pve1", "2")
    assert site.cluster.pools["shop"].guests == {made.vmid}
    digests = {vmid: guest.digest for vmid, guest in site.cluster.guests.items()}
    tasks = sum(len(node.tasks) for node in site.cluster.nodes.values())
    again = succeed(site.environ, "apply", "-f", str(stack), "-r", "shop", "--yes")
    assert again.out.count("Nothing to do.") == 1
    assert digests == {vmid: guest.digest for vmid, guest in site.cluster.guests.items()}
    assert tasks == sum(len(node.tasks) for node in site.cluster.nodes.values())
    quiet = pmpc(site.environ, "plan", "-f", str(stack), "-r", "shop", "--detailed-exitcode")
    assert quiet.code == 0


def test_a_stored_plan_is_applied_by_its_id_from_stdin_manifests(site: Site) -> None:
    words = ("plan", "-f", "-", "-r", "shop", "-o", "json")
    made = json.loads(succeed(site.environ, *words, stdin=STACK).out)
    (stored,) = json.loads(succeed(site.environ, "plans", "-o", "json").out)
    assert (stored["id"], stored["status"]) == (made["id"], "planned")
    assert "clone" in succeed(site.environ, "plans", made["id"]).out
    succeed(site.environ, "apply", "--plan", made["id"], "--yes")
    assert "web-1" in names(site)
    (stored,) = json.loads(succeed(site.environ, "plans", "-o", "json").out)
    assert stored["status"] == "applied"


def test_a_secret_reaches_the_cluster_and_nothing_else(site: Site, stack: Path) -> None:
    stack.write_text(STACK.replace("cores: 2", "cores: 2\n    cipassword: hunter2secret"))
    words = ("-f", str(stack), "-r", "shop")
    told = [
        succeed(site.environ, "plan", *words),
        succeed(site.environ, "apply", *words, "--yes"),
        succeed(site.environ, "plan", *words, "--detailed-exitcode"),
        succeed(site.environ, "plans", "-o", "json"),
        succeed(site.environ, "sync"),
        succeed(site.environ, "get", "vm/web-1", "-o", "json"),
    ]
    assert vm(site, "web-1").config["cipassword"]
    assert "(secret)" in told[0].out
    assert "apply the manifests, not the plan" in told[0].out
    assert not any("hunter2" in done.out + done.err for done in told)
    kept = [path for path in site.home.rglob("*") if path.is_file()]
    assert not any(b"hunter2" in path.read_bytes() for path in kept)


def test_a_dry_run_changes_nothing(site: Site, stack: Path) -> None:
    succeed(site.environ, "apply", "-f", str(stack), "-r", "shop", "--dry-run")
    assert "web-1" not in names(site)


def test_somebody_elses_edit_is_a_conflict_until_it_is_settled(site: Site, stack: Path) -> None:
    applied(site, stack)
    site.cluster.edit(vm(site, "web-1").vmid, onboot=0)
    words = ("-f", str(stack), "-r", "shop")
    seen = pmpc(site.environ, "diff", *words)
    assert "config.onboot" in seen.out
    refused = pmpc(site.environ, "apply", *words, "--yes")
    assert refused.code == 4
    assert vm(site, "web-1").config["onboot"] == "0", "her edit stays"
    succeed(site.environ, "apply", *words, "--yes", "--resolve", "config.onboot=ours")
    assert vm(site, "web-1").config["onboot"] == "1"
    assert pmpc(site.environ, "plan", *words, "--detailed-exitcode").code == 0


def test_history_rollback_and_delete(site: Site, stack: Path) -> None:
    applied(site, stack)
    stack.write_text(STACK.replace("tags: [web]", "tags: [canary, web]"))
    applied(site, stack)
    assert "canary" in vm(site, "web-1").config["tags"]
    done = succeed(site.environ, "rollback", "shop", "--yes")
    assert "config.tags.canary" in done.out
    assert "canary" not in vm(site, "web-1").config["tags"]
    revisions = json.loads(succeed(site.environ, "history", "shop", "-o", "json").out)
    assert [entry["revision"] for entry in revisions] == [1, 2, 3]
    others = {"debian-13", "db-1"}
    succeed(site.environ, "delete", "shop", "--yes")
    assert names(site) == others
    assert not site.cluster.pools


def test_snapshots_and_changes_between_two_times(site: Site) -> None:
    succeed(site.environ, "sync")
    succeed(site.environ, "snapshot", "before")
    site.cluster.edit(100, memory=4096)
    succeed(site.environ, "sync")
    (taken,) = json.loads(succeed(site.environ, "snapshots", "-o", "json").out)
    assert taken["name"] == "before"
    text = succeed(site.environ, "changes", "before", "-o", "table").out
    assert "qemu/100 (db-1) changed" in text
    assert "memory" in text
    old = succeed(site.environ, "get", "vm/db-1", "--at", "before", "-o", "json").out
    assert str(json.loads(old)["config"]["memory"]) == "2048"


def test_a_sync_reads_settings_too(site: Site) -> None:
    succeed(site.environ, "sync")
    users = json.loads(succeed(site.environ, "get", "user", "-o", "json").out)
    assert "root@pam" in json.dumps(users)


def test_guests_of_others_are_adopted_with_a_proof(site: Site, tmp_path: Path) -> None:
    options = {"name": "old-db", "cores": 2, "net0": "virtio=BC:24:11:00:00:07,bridge=vmbr0"}
    before = site.cluster.add_vm("pve2", 700, options).digest
    done = succeed(site.environ, "adopt", "old-db", "-r", "old")
    assert site.cluster.guests[700].digest == before
    manifests = tmp_path / "old.yaml"
    manifests.write_text(done.out)
    (line,) = [line for line in done.err.splitlines() if line.startswith("Adopt them with: pmpc ")]
    succeed(site.environ, *line.partition("pmpc ")[2].split(), "--yes")
    quiet = succeed(site.environ, "plan", "-f", str(manifests), "-r", "old", "--detailed-exitcode")
    assert "1 unchanged" in quiet.out
    again = pmpc(site.environ, "adopt", "old-db")
    assert again.code == 2
    assert "belongs to release old" in again.err


def test_deleting_a_release_whose_vmid_a_stranger_has_now_only_forgets(
    site: Site, stack: Path
) -> None:
    applied(site, stack)
    vmid = vm(site, "web-1").vmid
    del site.cluster.guests[vmid]
    site.cluster.pools["shop"].guests.discard(vmid)
    site.cluster.add_vm("pve1", vmid, {"name": "stranger"})
    done = succeed(site.environ, "delete", "shop", "--yes")
    assert "VirtualMachine/web-1 is forgotten: only its record is dropped" in done.out
    assert "VirtualMachine/web-1 will be deleted" not in done.out
    assert "1 to forget" in done.out
    assert vm(site, "stranger").vmid == vmid


def test_version_names_the_packages_and_the_server(site: Site) -> None:
    out = succeed(site.environ, "version", "--server").out
    assert "pmpc-cli 0." in out
    assert "Proxmox VE 9." in out


def test_a_reader_that_goes_away_is_no_error(site: Site) -> None:
    succeed(site.environ, "sync")
    command = f"'{PMPC}' get -o table | head -n 1"
    done = subprocess.run(
        ["sh", "-c", command], env=site.environ, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith("KIND")
    assert done.stderr == ""


def test_an_apply_nobody_reads_is_carried_out_all_the_same(site: Site, stack: Path) -> None:
    assert unread(site.environ, "apply", "-f", str(stack), "-r", "shop", "--yes") == 0
    assert vm(site, "web-1").status == "running"
    stack.write_text(STACK.replace("cores", "coers"))
    assert unread(site.environ, "plan", "-f", str(stack), "-r", "shop") == 2
    assert unread(site.environ, "plan", "-f", str(stack), "-o", "json") == 2
    assert unread(site.environ, "plan") == 2
    stack.write_text(STACK.replace("cores: 2", "cores: 4"))
    words = ("plan", "-f", str(stack), "-r", "shop", "--detailed-exitcode")
    assert unread(site.environ, *words) == 3
    assert unread(site.environ, *words, "-o", "json") == 3


@pytest.mark.parametrize("words", [(), ("apply", "--help"), ("state", "--help"), ("version",)])
@pytest.mark.parametrize("buffered", [True, False])
def test_help_nobody_reads_is_no_error(site: Site, words: tuple[str, ...], buffered: bool) -> None:
    environ = {**site.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    assert unread(environ, *words) == 0


def test_a_node_that_does_not_answer_makes_its_guests_unknown_not_missing(site: Site) -> None:
    succeed(site.environ, "sync")
    site.cluster.nodes["pve2"].online = False
    done = succeed(site.environ, "sync")
    assert "unknown" in done.out
    assert "gone" not in done.out
    (item,) = listed(site, "vm", "db-*")
    assert item["status"] == "unknown"


def test_a_step_that_fails_is_reported_and_the_rest_is_done(site: Site, stack: Path) -> None:
    broken = STACK.replace("onboot: true", "net0: {model: virtio, bridge: vmbr99}")
    stack.write_text(broken)
    done = pmpc(site.environ, "apply", "-f", str(stack), "-r", "shop", "--yes")
    assert done.code == 5, (done.out, done.err)
    assert "failed VirtualMachine/web-1: start web-1" in done.out
    assert "vmbr99" in done.err, "the task's log was shown"
    assert vm(site, "web-1").config["cores"] == "2", "what came before the start is done"


def test_an_interrupted_apply_is_continued_by_the_next(site: Site, stack: Path) -> None:
    words = [PMPC, "apply", "-f", str(stack), "-r", "shop", "--yes"]
    with subprocess.Popen(
        words, env=site.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if "create full clone" in line:
                process.send_signal(signal.SIGINT)
                break
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "run the same command again" in told
    assert "Traceback" not in told
    applied(site, stack)
    made = vm(site, "web-1")
    assert made.status == "running"
    assert made.config["cores"] == "2"
