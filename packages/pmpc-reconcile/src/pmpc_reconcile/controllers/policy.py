"""What the loop may do with an object: the narrowest word said about it counts. Pure."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from pmpc_state import Control


@attrs.frozen
class Policy:
    """What the loop may do with one object.

    Attributes:
        suspended: Leave it alone.
        self_heal: Undo drift rather than only report it.
        why: Who suspended it and why; empty when it is not suspended.
    """

    suspended: bool = False
    self_heal: bool = False
    why: str = ""


def policy_for(controls: Iterable[Control], release: str, address: str) -> Policy:
    """Return what was said about an object.

    A word about the object counts before one about its release, and that before one about the
    whole cluster. Nothing said: not suspended, and drift is reported but not undone.

    Args:
        controls: Everything said about the cluster.
        release: The object's release.
        address: The object; empty asks about the release itself.
    """
    said = {(item.release, item.address): item for item in controls}
    places = dict.fromkeys([(release, address), (release, ""), ("", "")])
    words = [said[place] for place in places if place in said]
    suspended = next((item for item in words if item.suspended is not None), None)
    heal = next((item.self_heal for item in words if item.self_heal is not None), False)
    if suspended is None or not suspended.suspended:
        return Policy(self_heal=heal)
    reason = f": {suspended.reason}" if suspended.reason else ""
    return Policy(True, heal, f"suspended by {suspended.actor}{reason}")
