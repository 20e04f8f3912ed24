"""`pmpc status`, `suspend`, `resume`, `self-heal` and `controller` as processes."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cli_process import PMPC, pmpc, succeed
from tests.e2e.site import Site

POOLS = """\
apiVersion: pmpc/v1
kind: Pool
metadata: {name: shop}
spec: {comment: ours}
---
apiVersion: pmpc/v1
kind: Pool
metadata: {name: lab}
spec: {comment: ours too}
"""


@pytest.fixture
def pools(site: Site, tmp_path: Path) -> Site:
    path = tmp_path / "pools.yaml"
    path.write_text(POOLS)
    succeed(site.environ, "apply", "-f", str(path), "-r", "web", "--yes")
    return site


def edit(site: Site, pool: str) -> None:
    site.cluster.call("PUT", "/pools", {"poolid": pool, "comment": "somebody was here"})


def comment(site: Site, pool: str) -> Any:
    return site.cluster.call("GET", f"/pools/{pool}")["comment"].splitlines()[0]


def test_status_shows_what_is_wrong_and_its_exit_code_only_when_asked(pools: Site) -> None:
    assert "AsDeclared" not in succeed(pools.environ, "status", "-o", "table").out
    edit(pools, "shop")
    rows = json.loads(succeed(pools.environ, "status", "web", "-o", "json").out)
    synced = {row["address"]: row["conditions"]["Synced"] for row in rows}
    assert synced == {"Pool/lab": "true", "Pool/shop": "false"}
    assert pmpc(pools.environ, "status", "--detailed-exitcode").code == 3
    last = json.loads(succeed(pools.environ, "status", "--last", "-o", "json").out)
    assert [row["conditions"] for row in last] == [row["conditions"] for row in rows]
    assert pmpc(pools.environ, "status", "elsewhere").code == 1


def test_what_is_said_is_listed_with_its_author_and_can_be_taken_back(pools: Site) -> None:
    succeed(pools.environ, "self-heal", "on")
    told = succeed(pools.environ, "suspend", "web", "Pool/shop", "--reason", "painting").out
    assert told == "Pool/shop: suspended: yes\n"
    rows = json.loads(succeed(pools.environ, "self-heal", "show", "-o", "json").out)
    assert [(row["release"], row["self_heal"], row["suspended"]) for row in rows] == [
        ("", True, None),
        ("web", None, True),
    ]
    assert rows[1]["reason"] == "painting"
    assert rows[1]["actor"].startswith("cli:")
    succeed(pools.environ, "self-heal", "forget", "web", "Pool/shop")
    assert len(json.loads(succeed(pools.environ, "self-heal", "show", "-o", "json").out)) == 1
    wrong = pmpc(pools.environ, "suspend", "web", "Pool/nobody")
    assert wrong.code == 1
    assert "it has Pool/shop, Pool/lab" in wrong.err


def test_a_controller_heals_until_it_is_told_to_end(pools: Site) -> None:
    succeed(pools.environ, "self-heal", "on")
    succeed(pools.environ, "suspend", "web", "Pool/lab")
    edit(pools, "shop")
    edit(pools, "lab")
    command = [PMPC, "controller", "--every", "0.5"]
    with subprocess.Popen(
        command, env=pools.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as running:
        assert running.stdout is not None
        lines: list[str] = []
        for line in running.stdout:
            lines.append(line)
            if "as declared again" in line:
                running.send_signal(signal.SIGTERM)
        code = running.wait(timeout=20)
    assert code == 0, lines
    assert lines[-1] == "ended; nothing was left half done\n"
    assert any("left alone: Pool/lab" in line for line in lines)
    assert (comment(pools, "shop"), comment(pools, "lab")) == ("ours", "somebody was here")
