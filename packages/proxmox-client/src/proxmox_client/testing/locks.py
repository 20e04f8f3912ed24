"""PVE's locks: the flock on a guest's configuration and the ``lock:`` property in it."""

from __future__ import annotations

from collections.abc import Iterator

from proxmox_client.testing.clock import VirtualClock
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.state import Guest
from proxmox_client.testing.tasks import TaskRecord

GUEST_TIMEOUT = 10.0
POLL = 0.1


class LockTable:
    """Named locks with time-outs on the virtual clock.

    Waiting is a conversation: ``yield from locks.wait(name, …)`` inside a task or handler.
    """

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock
        self._held: dict[str, float] = {}

    def held(self, name: str) -> bool:
        """Whether somebody holds a lock; one held for a set time runs out by itself."""
        until = self._held.get(name)
        return until is not None and until > self._clock.now()

    def take(self, name: str, *, until: float = float("inf")) -> None:
        """Take a free lock, for good or until a time."""
        self._held[name] = until

    def release(self, name: str) -> None:
        """Give a lock back."""
        self._held.pop(name, None)

    def wait(
        self, name: str, *, timeout: float, message: str, step: float = POLL
    ) -> Iterator[float]:
        """Wait for a lock and take it.

        Raises:
            PveFault: Status 500 with ``message`` after ``timeout`` seconds.
        """
        deadline = self._clock.now() + timeout
        while self.held(name):
            if self._clock.now() >= deadline:
                raise PveFault(500, message)
            yield step
        self.take(name)

    def guest(self, guest: Guest, *, task: TaskRecord | None = None) -> Iterator[float]:
        """Wait up to ten seconds for a guest's flock and take it; release with `release_guest`."""
        path = guest_lock_file(guest)
        if task is not None and self.held(path):
            task.log("trying to acquire lock...")
        yield from self.wait(
            path, timeout=GUEST_TIMEOUT, message=f"can't lock file '{path}' - got timeout"
        )

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
