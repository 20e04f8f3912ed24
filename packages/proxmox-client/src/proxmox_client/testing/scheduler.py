"""What the nodes do by themselves: jobs of backup, replication and realms, when they are due.

PVE's scheduler looks every minute. Here a look is planned only for the minute something is due.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from proxmox_client.testing import realmsync, replicating, schedules
from proxmox_client.testing.backups import coverage, vzdump
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.tasks import TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.clock import Event
    from proxmox_client.testing.cluster import SimulatedCluster

_MINUTE = 60
_USER = "root@pam"
_TIMED = {"backup-jobs": "backup", "realm-sync": "realm-sync"}


class Scheduler:
    """Starts jobs when they are due; `wake` after every change of jobs, and after loading."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster
        self._next: Event | None = None

    def wake(self) -> None:
        """Plan the next look."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        times = [when for when in self._times() if when is not None]
        if times:
            moment = max(min(times), self._cluster.clock.now() + 0.001)
            minute = -(-moment // _MINUTE) * _MINUTE
            self._next = self._cluster.clock.at(minute, self._look)

    def _times(self) -> Iterator[float | None]:
        for ident, job in replicating.jobs(self._cluster).items():
            if job.get("remove_job") or not job.get("disable"):
                yield replicating.next_sync(self._cluster, ident) or None
        for file in _TIMED:
            for ident, job in self._jobs(file).items():
                if job.get("enabled", 1) and job.get("schedule"):
                    yield self._due(file, ident, job)

    def _jobs(self, file: str) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = self._cluster.files.get(file, {})
        return found

    def _due(self, file: str, ident: str, job: dict[str, Any]) -> int | None:
        seen: dict[str, float] = self._cluster.files.setdefault("job-state", {})
        since = seen.setdefault(f"{file}/{ident}", self._cluster.clock.now())
        try:
            return schedules.parse(str(job["schedule"])).after(since)
        except ValueError:
            return None

    def _look(self) -> None:
        cluster, now = self._cluster, self._cluster.clock.now()
        self._next = None
        if cluster.quorate:
            for ident in list(replicating.due(cluster, now)):
                replicating.run(cluster, ident)
            for file in _TIMED:
                for ident, job in list(self._jobs(file).items()):
                    due = self._due(file, ident, job) if job.get("schedule") else None
                    if job.get("enabled", 1) and due is not None and due <= now:
                        cluster.files["job-state"][f"{file}/{ident}"] = now
                        self._start(file, ident, job)
        self._again(now)

    def _again(self, now: float) -> None:
        """Look again in a minute while something that is overdue could not be done."""
        self.wake()
        if self._next is not None and self._next.at <= now:
            self._next.cancel()
            self._next = self._cluster.clock.at(now + _MINUTE, self._look)

    def _start(self, file: str, ident: str, job: dict[str, Any]) -> None:
        if file == "backup-jobs":
            self._back_up(ident, job)
        else:
            self._synchronise(job)

    def _back_up(self, ident: str, job: dict[str, Any]) -> None:
        cluster = self._cluster
        skipped = ("type", "enabled", "schedule", "id", "vmid", "all", "pool", "exclude", "node")
        options = {key: _text(value) for key, value in job.items() if key not in skipped}
        options["job-id"] = ident
        for node in cluster.nodes.values():
            covered = sorted(
                guest.vmid
                for guest in cluster.guests.values()
                if guest.node == node.name and coverage.covers(cluster, job, guest)
            )
            if covered and node.online and node.away is None:
                vzdump.start(cluster, node.name, covered, options, _USER)

    def _synchronise(self, job: dict[str, Any]) -> None:
        cluster, realm = self._cluster, str(job["realm"])
        node = next((node for node in cluster.nodes.values() if node.online), None)
        try:
            found = realmsync.check_realm(cluster, realm)
            options = realmsync.sync_options(
                found, {key: str(value) for key, value in job.items()}
            )  # fmt: skip
        except PveFault:
            return
        if node is None:
            return

        def work(task: TaskRecord) -> None:
            realmsync.synchronise(cluster, task, realm, options, dry=False)

        cluster.tasks.start(node.name, "auth-realm-sync", work, id=realm, user=_USER)


def _text(value: object) -> str:
    """Write an option as it was sent; those that are shown as objects were property strings."""
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value)
        return ",".join(f"{key}={part}" for key, part in pairs.items())
    return str(value)
