"""Plans as files: written by one command, applied by another, exactly."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.cli_process import pmpc, succeed
from tests.e2e.site import Site

POOL = "apiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: shop}\nspec: {comment: ours}\n"


def test_a_plan_is_written_and_applied_from_the_file(site: Site, tmp_path: Path) -> None:
    manifest, file = tmp_path / "pool.yaml", tmp_path / "plan.json"
    manifest.write_text(POOL)
    shown = succeed(site.environ, "plan", "-f", str(manifest), "-r", "shop", "--out", str(file))
    assert f"pmpc apply {file}" in shown.out
    assert "shop" not in site.cluster.pools
    data = json.loads(file.read_text())
    file.write_text(json.dumps({**data, "pmpcPlan": 99}))
    refused = pmpc(site.environ, "apply", str(file), "--yes")
    assert refused.code != 0
    assert "a newer pmpc wrote it" in refused.err
    assert "shop" not in site.cluster.pools
    file.write_text(json.dumps(data))
    succeed(site.environ, "apply", str(file), "--yes")
    assert site.cluster.pools["shop"].comment.startswith("ours")
    again = pmpc(site.environ, "apply", str(file), "--yes")
    assert "applied already" in again.err


def test_one_thing_is_applied(site: Site, tmp_path: Path) -> None:
    neither = pmpc(site.environ, "apply", "--yes")
    assert (neither.code, "the file of a plan" in neither.err) == (2, True)
    manifest = tmp_path / "pool.yaml"
    manifest.write_text(POOL)
    wrong = pmpc(site.environ, "apply", str(manifest), "--yes")
    assert "not JSON" in wrong.err
