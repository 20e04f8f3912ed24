"""The verbs that look back, and those that look after the database, as processes."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

from tests.e2e.cli_process import pmpc, succeed
from tests.e2e.site import Site


def test_looking_back_and_the_way_back(site: Site, tmp_path: Path) -> None:
    site.cluster.add_vm("pve1", 120, {"name": "web-9", "memory": 512, "cores": 2, "tags": "prod"})
    site.cluster.clock.advance(30)
    succeed(site.environ, "sync", "--snapshot", "good", "--metrics")
    site.cluster.clock.advance(60)
    site.cluster.edit(120, user="alice@pve", cores=4)
    site.cluster.clock.advance(60)
    done = succeed(site.environ, "sync", "--incremental", "--within", "1h", "-o", "json")
    assert json.loads(done.out)["mode"] == "incremental"
    succeed(site.environ, "sync")
    listed = succeed(site.environ, "get", "vm", "--filter", "tags has prod", "-o", "name")
    assert listed.out.split() == ["qemu/120"]
    assert pmpc(site.environ, "get", "--filter", "nod=1").code != 0
    changes = succeed(site.environ, "changes", "good", "--each", "--path", "cores", "-o", "json")
    [change] = json.loads(changes.out)["items"]
    assert (change["key"], change["task"]) == ("120", None)
    then = succeed(site.environ, "get", "vm", "--at", "good", "-o", "table")
    assert "web-9" in then.out
    assert "status and use are as seen last" in then.err
    options = succeed(site.environ, "get", "storage", "-o", "table").out
    assert "STATUS" in options
    assert "STATUS" not in succeed(site.environ, "get", "user", "-o", "table").out
    log = succeed(site.environ, "log", "web-9", "-o", "json")
    assert "created" in [one["action"] for one in json.loads(log.out)["items"]]
    manifest = succeed(site.environ, "restore-manifest", "web-9", "--at", "good").out
    assert "cores: 2" in manifest or "cores: '2'" in manifest
    assert "up" in succeed(site.environ, "metrics", "web-9").out.split()


def test_settings_go_back_to_how_they_were(site: Site, tmp_path: Path) -> None:
    def walls(method: str, below: str, **params: object) -> None:
        site.cluster.call(method, f"/cluster/firewall/{below}", params)

    def rules() -> list[str]:
        found = site.cluster.call("GET", "/cluster/firewall/rules")
        return [f"{one['action']} {one.get('dport')}" for one in found]

    for port in (443, 80, 22):
        walls("POST", "rules", type="in", action="ACCEPT", enable=1, proto="tcp", dport=str(port))
    walls("POST", "aliases", name="desk", cidr="192.0.2.66")
    before = rules()
    succeed(site.environ, "sync", "--snapshot", "good")
    walls("DELETE", "rules/1")
    walls("POST", "rules", type="in", action="DROP", enable=1)
    walls("PUT", "aliases/desk", name="desk", cidr="192.0.2.67")
    assert rules() != before
    succeed(site.environ, "sync")
    adopt = ("adopt", "cluster", "--kind", "Firewall", "--release", "walls")
    plan = json.loads(succeed(site.environ, *adopt, "-o", "json").out)["plan"]["id"]
    succeed(site.environ, "apply", "--plan", plan)
    back = succeed(site.environ, "restore-manifest", "firewall-alias/desk", "--at", "good")
    assert "release walls manages it" in back.err
    (tmp_path / "walls.yaml").write_text(back.out)
    wanted = ("-f", str(tmp_path / "walls.yaml"), "--release", "walls")
    succeed(site.environ, "apply", *wanted, "--yes")
    assert rules() == before
    assert site.cluster.call("GET", "/cluster/firewall/aliases/desk")["cidr"] == "192.0.2.66"
    assert "Nothing to do" in succeed(site.environ, "plan", *wanted, "-o", "text").out
    assert "did you mean" in pmpc(site.environ, "restore-manifest", "storage/share").err


def test_the_database_is_checked_copied_carried_and_thinned(site: Site, tmp_path: Path) -> None:
    succeed(site.environ, "sync")
    succeed(site.environ, "snapshot", "kept", "--pinned")
    assert "undamaged" in succeed(site.environ, "state", "check").out
    succeed(site.environ, "state", "backup", str(tmp_path / "copy.sqlite"))
    assert pmpc(site.environ, "state", "backup", str(tmp_path / "copy.sqlite")).code == 1
    succeed(site.environ, "state", "dump", str(tmp_path / "state.jsonl"))
    assert (tmp_path / "state.jsonl").stat().st_mode & 0o077 == 0
    assert "forgot 0 changes" in succeed(site.environ, "state", "forget").out
    found = next(iter(site.home.rglob("*.db")))
    for left in found.parent.glob(f"{found.name}*"):
        if not left.name.endswith(".key"):
            shutil.move(left, tmp_path / left.name)
    assert (
        "rows are loaded"
        in succeed(site.environ, "state", "load", str(tmp_path / "state.jsonl")).out
    )
    assert "kept" in succeed(site.environ, "snapshots", "-o", "json").out
    with sqlite3.connect(found) as database:
        database.execute("UPDATE blob SET body = body || ' ' WHERE id = 1")
    database.close()
    damaged = pmpc(site.environ, "state", "check")
    assert damaged.code == 1
    assert "damaged" in damaged.err
