"""What the server refuses because of how things stand there at the moment."""

from __future__ import annotations

import attrs

from proxmox_client.errors.refusals import ApiError


@attrs.define(eq=False, str=False, slots=False)
class DigestMismatch(ApiError):
    """Somebody changed the object since it was read. Nothing was changed."""

    def advice(self) -> str:
        """Say how to go on."""
        return "Nothing was changed. Read it again, compare, and write with the new digest."


@attrs.define(eq=False, str=False, slots=False)
class GuestLocked(ApiError):
    """A lock in the guest's configuration forbids this.

    Attributes:
        lock: `backup`, `migrate`, `snapshot`, …
    """

    lock: str = ""

    def advice(self) -> str:
        """Say what ends the lock."""
        if self.lock == "suspended":
            return "The guest is suspended to disk; starting it resumes it and lifts the lock."
        return f"Wait until its {self.lock or 'running'} task has ended, then try again."


@attrs.define(eq=False, str=False, slots=False)
class WrongState(ApiError):
    """The guest runs where it must not, or does not run where it must."""


@attrs.define(eq=False, str=False, slots=False)
class LockTimeout(ApiError):
    """Somebody else held a lock for too long (PVE waits ten seconds)."""

    def advice(self) -> str:
        """Say that it passes."""
        return "Nothing was changed. Somebody else is writing the same thing; try again."


@attrs.define(eq=False, str=False, slots=False)
class NoQuorum(ApiError):
    """The cluster has no quorum, so its configuration cannot be written."""

    def advice(self) -> str:
        """Point at the cluster's status."""
        return "Too few nodes see each other: see GET /cluster/status before any write."


@attrs.define(eq=False, str=False, slots=False)
class NodeUnreachable(ApiError):
    """The node asked cannot reach the node the path names (595, 596 and their kin).

    Attributes:
        sent: False where the request surely never reached that node.
    """

    sent: bool = True

    def advice(self) -> str:
        """Say what is known of the effect."""
        target = f"node {self.node}" if self.node else "the node"
        if not self.sent:
            return f"{target} was never reached, so nothing was changed there."
        return f"The connection to {target} broke while it was being asked."


@attrs.define(eq=False, str=False, slots=False)
class AgentNotRunning(WrongState):
    """The agent inside the guest is off, not installed, or not up yet."""

    def advice(self) -> str:
        """Say what an agent needs."""
        return (
            "The guest needs qemu-guest-agent installed and running, and the option agent=1; "
            "after a start it takes a while to come up."
        )


@attrs.define(eq=False, str=False, slots=False)
class InUse(ApiError):
    """Something else still needs or holds the object: members, guests, linked clones, HA."""

    def advice(self) -> str:
        """Say in which order it goes."""
        return "Nothing was changed. Remove what uses it first."


@attrs.define(eq=False, str=False, slots=False)
class Protected(ApiError):
    """The object is protected against this: a guest's `protection`, a protected backup, a role
    that comes with PVE.
    """


@attrs.define(eq=False, str=False, slots=False)
class FeatureUnavailable(ApiError):
    """The guest's volumes or the storage cannot do this: snapshots, linked clones, shrinking, …"""


@attrs.define(eq=False, str=False, slots=False)
class StorageUnavailable(ApiError):
    """The storage is off, disabled, or what it stands on cannot be reached."""

    def advice(self) -> str:
        """Point at its state."""
        return "See GET /nodes/{node}/storage: `enabled` and `active` say how it stands."


@attrs.define(eq=False, str=False, slots=False)
class LockTokenInvalid(ApiError):
    """Somebody else holds the lock on the SDN configuration, or ours has ended."""

    def advice(self) -> str:
        """Say how to go on."""
        return "Nothing was changed. Take the lock anew, and look at what is pending before."
