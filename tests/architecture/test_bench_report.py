"""The figures of `nox -s bench -- --json` have the agreed form and judge by the target."""

from __future__ import annotations

import json

import pytest

from tests.bench.measure import Row
from tests.bench.report import as_json, table


@pytest.mark.parametrize(
    ("ours", "better", "ok"),
    [(9.0, "lower", True), (11.0, "lower", False), (11.0, "higher", True), (9.0, "higher", False)],
)
def test_a_row_says_both_figures_their_ratio_and_whether_the_target_is_met(
    ours: float, better: str, ok: bool
) -> None:
    row = Row("reading", ours, 10.0, "ms", 1.0, "lower" if better == "lower" else "higher")
    found = json.loads(as_json([row]))["reading"]
    agreed = {key: found[key] for key in ("ours", "peer", "ratio", "target", "ok")}
    assert agreed == {"ours": ours, "peer": 10.0, "ratio": ours / 10, "target": 1.0, "ok": ok}
    assert table([row]).row_count == 1
