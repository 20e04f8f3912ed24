"""Plan the networks of the cluster and of nodes: staged changes, one commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from pmpc_reconcile.diagnostics import error
from pmpc_reconcile.diff import Action, FieldChange
from pmpc_reconcile.groups.network.management import cut_off
from pmpc_reconcile.groups.network.state import (
    NetworkState,
    network_live,
    network_target,
    touched,
)
from pmpc_reconcile.groups.sdn.state import SdnState, different, sdn_live, sdn_target
from pmpc_reconcile.kinds import kind
from pmpc_reconcile.kinds.sdn import MADE_BY
from pmpc_reconcile.plans.beside import beside
from pmpc_reconcile.plans.settings import Item, Settings, compare, plan_settings, with_begun
from pmpc_reconcile.plans.situation import Built, Situation
from pmpc_reconcile.plans.steps import Configure, ReloadNetwork
from pmpc_reconcile.values import ABSENT
from pmpc_reconcile.values.items import split_item

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.records import ManagedRecord
    from pmpc_reconcile.values import Fields

SDN_KEY: Final = "cluster"
_HINT: Final = "change the way to the management by hand, at the node's console"


def plan_sdn(
    situation: Situation,
    address: str,
    state: SdnState,
    desired: Fields,
    resolutions: Mapping[str, str],
    record: ManagedRecord | None,
    *,
    adopted: bool = False,
) -> Built:
    """Return what brings the cluster's networks to a manifest.

    What somebody staged and did not apply is a conflict as soon as there is something to apply:
    it would be committed along.
    """
    settings = Settings(
        address=address,
        kind=kind("Sdn"),
        key=SDN_KEY,
        desired=desired,
        live=sdn_live(state.running, [*desired]),
        owned=record.owned if record else {},
        item_of=sdn_item,
        resolutions=resolutions,
        adopted=adopted,
        foreign=tuple(_staged_by_others(state.pending)),
        beside=beside(situation, address, SDN_KEY),
    )
    settings = with_begun(situation, settings)
    diff = compare(situation, settings)
    problems = tuple(_impossible(address, diff.changes))
    names = different(state.running, sdn_target(state.running, diff.changes))
    step = Configure(
        id=f"{address}#configure",
        address=address,
        summary=f"stage {', '.join(names)} and apply the cluster's networks once",
        reason="the manifest differs",
        locks=("sdn",),
        inverse="stage the previous values and apply them",
        changes=diff.changes,
    )
    return plan_settings(situation, settings, record, diff, (step,), problems)


def sdn_item(path: str) -> Item | None:
    """Return the object a field of the cluster's networks belongs to."""
    section, name, _ = split_item(path)
    return Item(f"{section}.{name}", f"{section}.{name}.{MADE_BY[section]}")


def plan_network(
    situation: Situation,
    address: str,
    node: str,
    state: NetworkState,
    addresses: tuple[str, ...],
    desired: Fields,
    resolutions: Mapping[str, str],
    record: ManagedRecord | None,
    *,
    adopted: bool = False,
) -> Built:
    """Return what brings a node's network to a manifest, unless that cuts off its management.

    What other manifests of the plan change of the same network is committed with it, so it counts
    when the way to the management is looked at.
    """
    network = _Network(situation, node, state)
    settings = network.settings(address, desired, resolutions, record, adopted=adopted)
    diff = compare(situation, settings)
    along = network.changes_beside(settings)
    target = network_target(state.interfaces, (*along, *diff.changes))
    problems = tuple(
        error(reason, hint=_HINT, address=address)
        for reason in cut_off(state.interfaces, target, addresses)
    )
    own = network_target(state.interfaces, diff.changes)
    names = ", ".join(touched(state.interfaces, own))
    step = ReloadNetwork(
        id=f"{address}#configure",
        address=address,
        summary=f"stage {names} on {node} and reload its network once",
        reason="the manifest differs",
        locks=(f"network:{node}",),
        downtime="short",
        inverse="stage the previous values and reload",
        changes=diff.changes,
    )
    return plan_settings(situation, settings, record, diff, (step,), problems)


@attrs.frozen
class _Network:
    """A node's network, as several manifests may declare it."""

    situation: Situation
    node: str
    state: NetworkState

    def settings(
        self,
        address: str,
        desired: Fields,
        resolutions: Mapping[str, str],
        record: ManagedRecord | None,
        *,
        adopted: bool = False,
    ) -> Settings:
        """Return one object's share of it."""
        waits = _staged_by_others((f"node {self.node}",) if self.state.pending else ())
        key = f"node/{self.node}"
        settings = Settings(
            address=address,
            kind=kind("NodeNetwork"),
            key=key,
            desired=desired,
            live=network_live(self.state.interfaces, [*desired]),
            owned=record.owned if record else {},
            item_of=network_item,
            resolutions=resolutions,
            adopted=adopted,
            foreign=tuple(waits),
            beside=beside(self.situation, address, key),
        )
        return with_begun(self.situation, settings)

    def changes_beside(self, settings: Settings) -> tuple[FieldChange, ...]:
        """Return what the other manifests change; one in conflict changes nothing."""
        found: list[FieldChange] = []
        for address in settings.beside.declared:
            manifest = self.situation.declared[address]
            answers = self.situation.resolutions_for(manifest)
            record = self.situation.managed.get(address)
            other = self.settings(address, manifest.fields, answers, record)
            diff = compare(self.situation, other)
            found.extend(() if diff.conflicts else diff.changes)
        return tuple(found)


def network_item(path: str) -> Item | None:
    """Return the interface a field belongs to; a manifest may name any of its node's."""
    section, name, _ = split_item(path)
    return Item(f"{section}.{name}", f"{section}.{name}.type", open=True)


def _staged_by_others(pending: tuple[str, ...]) -> Iterator[FieldChange]:
    for name in pending:
        yield FieldChange(
            path=name,
            action=Action.CONFLICT,
            live="staged",
            desired=ABSENT,
            reason="somebody staged it and has not applied it; it would be committed along",
        )


def _impossible(address: str, changes: tuple[FieldChange, ...]) -> Iterator[Diagnostic]:
    for change in changes:
        section, name, option = split_item(change.path)
        changed = change.action is Action.CHANGE and option == "type"
        if changed and section in ("zones", "controllers"):
            yield error(
                f"{section} {name} is {change.live} and cannot become {change.desired}",
                hint="give the new one another name",
                address=address,
            )
