"""Pain: creating many guests takes longer per guest the more there are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

CLONE = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {{name: web-{number}}}
spec:
  {vmid}
  source: {{clone: {{template: debian-13}}}}
  config: {{cores: 2}}
  state: running
"""


class Counting(httpx.AsyncBaseTransport):
    """Passes requests on and counts those for the whole cluster apart from those for a guest."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.seen: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen[request.url.path.removeprefix("/api2/json")] += 1
        return await self.inner.handle_async_request(request)

    @property
    def whole(self) -> int:
        """How many answers held a row for every guest."""
        return self.seen["/cluster/resources"] + self.seen["/pools"]

    @property
    def own(self) -> int:
        """How many requests were about one guest, polls of tasks left out: they depend on time."""
        polls = sum(count for path, count in self.seen.items() if "/tasks/" in path)
        return self.seen.total() - polls - self.whole


def stack(count: int, first_vmid: int | None = None) -> str:
    """Return the manifests of `count` clones."""
    return "---".join(
        CLONE.format(
            number=number, vmid="" if first_vmid is None else f"vmid: {first_vmid + number}"
        )
        for number in range(count)
    )


async def counted(lab: Any, text: str) -> Counting:
    """Apply manifests and return the count of what was asked meanwhile."""
    plan = await lab.plan(text)
    lab.recorder.inner = counting = Counting(lab.recorder.inner)
    report = await lab.engine.apply(plan)
    assert report.ok, [result.reason for result in report.failed]
    return counting


@pytest.mark.parametrize(
    ("first_vmid", "few", "many"),
    [(None, 20, 200), (5000, 10, 50)],
    ids=["any vmid", "vmids asked for"],
)
async def test_requests_per_new_guest_do_not_grow_with_their_number(
    lab_of: Any, tmp_path: Path, first_vmid: int | None, few: int, many: int
) -> None:
    per_guest: dict[int, float] = {}
    for count in (few, many):
        async with lab_of(tmp_path / f"{count}.db") as lab:
            counting = await counted(lab, stack(count, first_vmid))
            assert len(lab.vmids()) == count
            per_guest[count] = counting.own / count
            assert counting.whole <= count, counting.seen.most_common(5)
    assert per_guest[many] <= per_guest[few] * 1.1, per_guest


async def test_putting_many_guests_into_a_pool_reads_the_inventory_a_few_times(lab: Any) -> None:
    text = stack(20)
    await lab.applied(text)
    pool = "apiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: shop}\nspec: {}\n---"
    wished = pool + text.replace("  source:", "  pool: shop\n  source:")
    counting = await counted(lab, wished)
    assert len(lab.cluster.call("GET", "/pools/shop")["members"]) == 20
    assert counting.seen["/cluster/resources"] < 30, "not two for each guest"
