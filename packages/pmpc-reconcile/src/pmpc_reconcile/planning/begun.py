"""What an apply that did not come to its end may have made: it is ours where it is there.

Settings carry no marker. What a step made is recorded when the step ended well; a process that
died before that left items nobody recorded, and a step that failed may have left some. They are
known by the plan that was being applied: what it was about to make and is there exactly so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.diff import BEFORE, before_text, read_before
from pmpc_reconcile.errors import PlanNotFound
from pmpc_reconcile.plans.settings import KEY, RECORD_KINDS
from pmpc_reconcile.records import ManagedRecord, Records
from pmpc_state import RevisionStatus

if TYPE_CHECKING:
    from pmpc_reconcile.plans.model import ObjectPlan

_ENDED = (RevisionStatus.APPLIED, RevisionStatus.SUPERSEDED)


@attrs.frozen
class Begun:
    """What the last apply of a release was about, if it did not end well.

    Attributes:
        items: Settings of its plan, by address.
    """

    items: Mapping[str, ObjectPlan] = attrs.field(factory=dict[str, "ObjectPlan"])

    def managed(self, records: Mapping[str, ManagedRecord]) -> dict[str, ManagedRecord]:
        """Return records with what was begun and never recorded."""
        found = {
            address: _with_before(record, self.items[address]) if address in self.items else record
            for address, record in records.items()
        }
        for address, item in self.items.items():
            if address not in found and item.evidence.get(KEY, "guest") != "guest":
                kind = RECORD_KINDS[item.kind]
                found[address] = _with_before(
                    ManagedRecord(address, kind, item.evidence[KEY], {}, {}), item
                )
        return found


def _with_before(record: ManagedRecord, item: ObjectPlan) -> ManagedRecord:
    """Return a record that knows what was there before the apply that did not end well."""
    text = before_text({**read_before(item.evidence), **record.before})
    return attrs.evolve(record, identity={**record.identity, BEFORE: text})


async def begun_by(records: Records, release: str) -> Begun:
    """Return what the last apply of a release was about; nothing if it ended well."""
    revisions = await records.revisions(release)
    newest = revisions[-1] if revisions else None
    if newest is None or newest.plan_id is None or newest.status in _ENDED:
        return Begun()
    try:
        plan = await records.load_plan(newest.plan_id)
    except PlanNotFound:
        return Begun()
    return Begun(
        {
            item.address: item
            for item in plan.objects
            if item.kind in RECORD_KINDS and item.kind != "Storage"
        }
    )
