"""Plan images: fetched where they are missing, removed where we fetched them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pmpc_reconcile.diff import Action
from pmpc_reconcile.kinds import kind
from pmpc_reconcile.plans.settings import Item, Settings, compare, plan_settings, with_begun
from pmpc_reconcile.plans.situation import Built, Situation
from pmpc_reconcile.plans.steps import FetchImage

if TYPE_CHECKING:
    from pmpc_reconcile.records import ManagedRecord


def plan_image(
    situation: Situation,
    address: str,
    volume: str,
    wanted: Iterable[str],
    there: Iterable[str],
    resolutions: Mapping[str, str],
    record: ManagedRecord | None,
    *,
    adopted: bool = False,
) -> Built:
    """Return what fetches an image to the nodes that lack it.

    Args:
        situation: What was read.
        address: The object.
        volume: Its volume id.
        wanted: Nodes that shall have it; none when it goes.
        there: Nodes that have it.
        resolutions: How conflicts are settled.
        record: What is remembered.
        adopted: It is ours from now on.
    """
    settings = Settings(
        address=address,
        kind=kind("Image"),
        key=volume,
        desired={f"nodes.{node}": True for node in wanted},
        live={f"nodes.{node}": True for node in there},
        owned=record.owned if record else {},
        item_of=lambda path: Item(path, path),
        # An image that somebody removed is fetched again: that it is there is all there is to it.
        resolutions={"nodes": "ours", **resolutions},
        adopted=adopted,
    )
    settings = with_begun(situation, settings)
    diff = compare(situation, settings)
    steps = tuple(
        FetchImage(
            id=f"{address}#{node}",
            address=address,
            summary=f"{'remove' if change.action is Action.REMOVE else 'fetch'} {volume} on {node}",
            reason="the manifest no longer wants it there"
            if change.action is Action.REMOVE
            else "it is not there",
            locks=(f"storage:{node}/{volume.partition(':')[0]}",),
            inverse="fetch it again" if change.action is Action.REMOVE else "remove it",
            changes=(change,),
            node=node,
        )
        for change in diff.changes
        for node in (change.path.removeprefix("nodes."),)
    )
    return plan_settings(situation, settings, record, diff, steps, ())
