"""PVE's locks: the flock on a guest's configuration and the ``lock:`` property in it."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from proxmox_client.testing.clock import VirtualClock
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.state import Guest
from proxmox_client.testing.tasks import TaskRecord

GUEST_TIMEOUT = 10.0
POLL = 0.1


@attrs.define
class _Held:
    """Who holds a lock: one alone or several that share it; it may run out by itself."""

    holders: int
    shared: bool
    until: float


class LockTable:
    """Named locks with time-outs on the virtual clock.

    Waiting is a conversation: ``yield from locks.wait(name, …)`` inside a task or handler.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._waiting: dict[str, list[object]] = {}

    def held(self, name: str, *, shared: bool = False) -> bool:
        """Whether somebody holds a lock so that it cannot be taken (shared) now."""
        found = self._held.get(name)
        if found is None or found.until <= self._clock.now():
            return False
        return not (shared and found.shared)

    def take(self, name: str, *, shared: bool = False, until: float = float("inf")) -> None:
        """Take a free lock, for good or until a time."""
        found = self._held.get(name)
        if shared and found is not None and found.shared and found.until > self._clock.now():
            found.holders += 1
        else:
            self._held[name] = _Held(1, shared, until)

    def release(self, name: str) -> None:
        """Give a lock back; of a shared one, one share."""
        found = self._held.get(name)
        if found is not None:
            found.holders -= 1
            if found.holders <= 0:
                del self._held[name]

    def wait(
        self, name: str, *, timeout: float, message: str, step: float = POLL, shared: bool = False
    ) -> Iterator[float]:
        """Wait for a lock and take it; who asks first gets it first.

        Raises:
            PveFault: Status 500 with ``message`` after ``timeout`` seconds.
        """
        deadline = self._clock.now() + timeout
        queue = self._waiting.setdefault(name, [])
        mine = object()
        queue.append(mine)
        try:
            while queue[0] is not mine or self.held(name, shared=shared):
                if self._clock.now() >= deadline:
                    raise PveFault(500, message)
                yield step
            self.take(name, shared=shared)
        finally:
            queue.remove(mine)

    def guest(
        self,
        guest: Guest,
        *,
        task: TaskRecord | None = None,
        timeout: float = GUEST_TIMEOUT,
        shared: bool = False,
    ) -> Iterator[float]:
        """Wait for a guest's flock and take it; give it back with `release_guest`.

        Args:
            guest: The guest.
            task: Task whose log tells about the waiting.
            timeout: Seconds to wait at most.
            shared: Whether others may share it.

        Raises:
            PveFault: Status 500 after the time-out.
        """
        path = guest_lock_file(guest)
        waiting = self.held(path, shared=shared)
        if task is not None and waiting:
            task.log("trying to acquire lock...")
        message = f"can't lock file '{path}' - got timeout"
        yield from self.wait(path, timeout=timeout, message=message, shared=shared)
        if task is not None and waiting:
            task.log(" OK")

    def release_guest(self, guest: Guest) -> None:
        """Give a guest's flock back."""
        self.release(guest_lock_file(guest))


def guest_lock_file(guest: Guest) -> str:
    """Name of a guest's lock file."""
    if guest.kind == "qemu":
        return f"/var/lock/qemu-server/lock-{guest.vmid}.conf"
    return f"/run/lock/lxc/pve-config-{guest.vmid}.lock"


def check_lock(guest: Guest) -> None:
    """Refuse to touch a guest whose configuration says ``lock:``.

    Raises:
        PveFault: Status 500 naming the lock.
    """
    if guest.lock:
        noun = "VM" if guest.kind == "qemu" else "CT"
        raise PveFault(500, f"{noun} is locked ({guest.lock})")
