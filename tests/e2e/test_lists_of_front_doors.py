"""Lists on the command line: filters, orders and pages."""

from __future__ import annotations

import re

from tests.e2e.cli_process import pmpc, succeed
from tests.e2e.site import Site


def test_lists_are_filtered_sorted_and_go_on_after_a_page(site: Site) -> None:
    succeed(site.environ, "sync")
    for name in ("first", "second", "third"):
        site.cluster.clock.advance(60)
        succeed(site.environ, "snapshot", name)
    newest = succeed(site.environ, "snapshots", "--sort=-taken_at", "--limit", "2", "-o", "name")
    assert newest.out.split() == ["third", "second"]
    more = re.search(r"2 of 3; the next: --after (\S+)", newest.err)
    assert more is not None
    rest = succeed(site.environ, "snapshots", "--sort=-taken_at", "--after", more[1], "-o", "name")
    assert (rest.out.split(), "the next" in rest.err) == (["first"], False)
    page = succeed(site.environ, "get", "--limit", "1", "-o", "name")
    assert "--after" in page.err
    done = succeed(site.environ, "get", "task", "--filter", "type=vzdump", "-o", "name")
    assert done.out == ""
    wrong = pmpc(site.environ, "plans", "--filter", "stats=failed")
    assert wrong.code != 0
    assert "did you mean status?" in wrong.err
