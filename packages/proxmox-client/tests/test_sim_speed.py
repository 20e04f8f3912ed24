"""What was promised of the simulator's size and speed, in processor time: load does not count."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

MEASURE = """
import json, resource, time
from proxmox_client.testing import SimRequest, SimulatedCluster
import httpx

def spent(work):
    begin = time.process_time()
    work()
    return time.process_time() - begin

made = []
figures = {"made": spent(lambda: made.append(SimulatedCluster.generate(32, 10_000, seed=1)))}
large = made[0]
figures["rss"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
figures["guests"] = len(large.guests)
figures["nodes"] = len(large.nodes)
headers = {"authorization": "PVEAPIToken=" + large.create_token("root@pam", "speed")}
guest = next(guest for guest in large.guests.values() if guest.running)
path = f"/nodes/{guest.node}/{guest.kind}/{guest.vmid}/status/current"
request = SimRequest("GET", path, headers=headers)
large.handle(request)
figures["handled"] = 2000 / spent(lambda: [large.handle(request) for _ in range(2000)])
base = "https://pve/api2/json"
with httpx.Client(transport=large.transport(), base_url=base, headers=headers) as client:
    assert client.get(path).status_code == 200
    figures["asked"] = 2000 / spent(lambda: [client.get(path) for _ in range(2000)])
figures["hours"] = 6000 / spent(lambda: large.clock.advance(6000 * 60))
small = SimulatedCluster()
small.add_vm("pve1", 100, {"scsi0": "shared:8"})
small.call("POST", "/cluster/ha/resources", {"sid": "vm:100"})
figures["managed"] = 2000 / spent(lambda: [small.clock.advance(60) for _ in range(2000)])
print(json.dumps(figures))
"""


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    command = [sys.executable, "-c", MEASURE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


@pytest.mark.requirement("speed.generating")
def test_ten_thousand_guests_take_less_than_five_seconds_and_a_gibibyte(
    figures: dict[str, float],
) -> None:
    assert (figures["guests"], figures["nodes"]) == (10_000, 32)
    assert figures["made"] < 5
    assert figures["rss"] < 1024


@pytest.mark.requirement("speed.requests")
def test_small_reads_in_process_come_by_the_thousand(figures: dict[str, float]) -> None:
    assert figures["handled"] >= 3000
    # Most of this is httpx itself, and a busy machine doubles it; tests/bench has the real figure.
    assert figures["asked"] >= 1000


@pytest.mark.requirement("speed.time")
def test_minutes_pass_by_the_thousand(figures: dict[str, float]) -> None:
    assert figures["hours"] >= 1000
    assert figures["managed"] >= 1000
