from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pmpc_reconcile.errors import ReleaseNotFound
from pmpc_reconcile.plans.model import Plan, Purpose
from pmpc_reconcile.plans.steps import StartGuest
from pmpc_reconcile.releases import needs_revision, rollback_target
from pmpc_state import Revision, RevisionStatus

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DOCUMENT = {"kind": "Pool", "metadata": {"name": "shop"}}
START = StartGuest(id="s", address="VirtualMachine/a", summary="start")


def revision(
    number: int, status: RevisionStatus = RevisionStatus.APPLIED, action: str = "apply"
) -> Revision:
    return Revision("lab", "shop", number, NOW, "me", action, status, None, (DOCUMENT,), "")


def plan(*steps: StartGuest, document: dict[str, object] | None = None) -> Plan:
    documents = (document if document is not None else dict(DOCUMENT),)
    return Plan("p", "lab", "shop", Purpose.APPLY, "now", 1, (), steps, documents=documents)


def test_the_same_again_makes_no_revision() -> None:
    assert not needs_revision(plan(), revision(1))


@pytest.mark.parametrize(
    ("made", "newest"),
    [
        (plan(), None),
        (plan(START), revision(1)),
        (plan(document={"kind": "Pool"}), revision(1)),
        (plan(), revision(1, RevisionStatus.PARTIAL)),
        (plan(), revision(1, action="delete")),
    ],
)
def test_anything_new_makes_one(made: Plan, newest: Revision | None) -> None:
    assert needs_revision(made, newest)


def test_rollback_goes_to_the_last_whole_one_before_the_newest() -> None:
    revisions = [
        revision(1, RevisionStatus.SUPERSEDED),
        revision(2, RevisionStatus.SUPERSEDED),
        revision(3, RevisionStatus.FAILED),
        revision(4),
    ]
    assert rollback_target("shop", revisions, None).number == 2
    assert rollback_target("shop", revisions, 3).number == 3


def test_rollback_to_what_is_not_there_names_what_is() -> None:
    with pytest.raises(ReleaseNotFound, match="no revision 9; it has 1, 2"):
        rollback_target("shop", [revision(1), revision(2)], 9)
    with pytest.raises(ReleaseNotFound, match="no earlier revision"):
        rollback_target("shop", [revision(1)], None)
