"""A plan as a frozen value: what would be done to which object, in which order, and why.

Executor and explainer read the same steps, so what is shown and what is done cannot disagree.
A plan in memory may carry secrets that its steps will send; `repr`, `to_dict` and the explanation
never show them, and a plan that was loaded from text has only their fingerprints.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import attrs

from pmpc_reconcile.plans.steps import Step
from pmpc_reconcile.risk import Risk, highest

if TYPE_CHECKING:
    from pathlib import Path

    from pmpc_reconcile.contexts import Context
    from pmpc_reconcile.diagnostics import Diagnostic
    from pmpc_reconcile.diff import FieldChange
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.values import FieldValue


GraphLanguage = Literal["dot", "mermaid"]


class MadeOn(Protocol):
    """The open cluster that a plan was made on."""

    @property
    def context(self) -> Context | None:
        """Return the context it was opened by, None if it was put together otherwise."""
        ...

    @property
    def closed(self) -> bool:
        """Return whether it was closed meanwhile."""
        ...


class Purpose(enum.Enum):
    """Which verb a plan was made for."""

    APPLY = "apply"
    ROLLBACK = "rollback"
    DELETE = "delete"


class ObjectAction(enum.Enum):
    """What a plan does to one object.

    `NONE` nothing, `CREATE`, `UPDATE`, `DELETE` as they say; `REPLACE` deletes it and makes another
    one as declared, with another proof of being ours; `CONFLICT` nothing, because somebody
    else changed a field we would change; `REFUSED` nothing, because of an error; `UNKNOWN` nothing,
    because its node does not answer; `KEEP` nothing, although the manifests no longer have it;
    `FORGET` drops the record of an object that was to be deleted and is gone already.
    """

    NONE = "none"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    REPLACE = "replace"
    CONFLICT = "conflict"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    KEEP = "keep"
    FORGET = "forget"


@attrs.frozen
class Blame:
    """Who changed a field behind our back, as far as it is known.

    Attributes:
        user: Who, None if not known: a synchronous edit leaves no task.
        task: The task that did it.
        at: When it was seen or done, ISO 8601 in UTC.
    """

    user: str | None = None
    task: str | None = None
    at: str | None = None

    def __str__(self) -> str:
        who = self.user or "somebody"
        when = f" at {self.at}" if self.at else ""
        return f"{who}{when}" + (f" ({self.task})" if self.task else "")


@attrs.frozen
class ObjectPlan:
    """What a plan does to one object and what it rests on.

    Attributes:
        address: The object, such as `VirtualMachine/web-1`.
        action: What is done.
        marker_id: The random id that proves the object ours; for a new object the one it will get.
        vmid: Its vmid; None for pools and for guests that get one at creation.
        node: Where it was when the plan was made.
        digest: Digest of the configuration that was reviewed.
        changes: Fields that would be written, with base, live and desired value.
        conflicts: Fields somebody else changed.
        desired: Every field the manifest declares.
        owned_after: What is recorded as ours when all went well.
        effects: For each changed path when it takes effect: `live`, `restart`, `stop`.
        because: For each path that waits for a restart, why it does.
        restart: Options whose new value waits for a restart that the plan does not make.
        waits: Why it does not make it: a word and a sentence, `OutsideWindow: its window …`.
        ailment: What keeps the object from working, likewise; empty if nothing does.
        behind: Options of ours that its cloud-init drive lacks by an earlier change.
        notes: Remarks for people.
        theirs: For each conflicting path who changed it.
        evidence: Traits the guest was recognised by.
        record: Whether records must be written although the cluster needs no change.
    """

    address: str
    action: ObjectAction
    marker_id: str | None = None
    vmid: int | None = None
    node: str | None = None
    digest: str | None = None
    changes: tuple[FieldChange, ...] = ()
    conflicts: tuple[FieldChange, ...] = ()
    desired: Mapping[str, FieldValue] = attrs.field(factory=dict[str, "FieldValue"], repr=False)
    owned_after: Mapping[str, FieldValue] = attrs.field(factory=dict[str, "FieldValue"], repr=False)
    effects: Mapping[str, str] = attrs.field(factory=dict[str, str])
    because: Mapping[str, str] = attrs.field(factory=dict[str, str])
    restart: tuple[str, ...] = ()
    waits: str = ""
    ailment: str = ""
    behind: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    theirs: Mapping[str, Blame] = attrs.field(factory=dict[str, Blame])
    evidence: Mapping[str, str] = attrs.field(factory=dict[str, str])
    record: bool = False

    @property
    def kind(self) -> str:
        """Return the kind, such as `VirtualMachine`."""
        return self.address.partition("/")[0]

    @property
    def name(self) -> str:
        """Return the name within its kind."""
        return self.address.partition("/")[2]

    def to_dict(self) -> dict[str, Any]:
        """Return the entry as JSON data, secrets replaced by their fingerprints."""
        from pmpc_reconcile.plans.codec import object_to_dict

        return object_to_dict(self)

    @property
    def differs(self) -> bool:
        """Return whether the object is not as declared."""
        return self.action not in (ObjectAction.NONE, ObjectAction.KEEP)


@attrs.frozen
class Plan:
    """What an apply would do.

    Attributes:
        id: Random, unique.
        cluster: The cluster's name.
        release: The release.
        purpose: Which verb it was made for.
        created_at: ISO 8601 in UTC.
        base_revision: Revision of the release that it was made against; None for the first.
        objects: One entry per object of the manifests and of the release.
        steps: In an order that respects their dependencies.
        diagnostics: Mistakes and warnings found while planning.
        documents: The manifests, to be recorded as the next revision, secrets as fingerprints.
        manifests: The manifests with their secrets; empty for a plan that was loaded.
        note: What made it, for the history: `apply`, `rollback to 1`.
        needs_approval: Whether somebody else has to approve it before it is applied.
        made_on: The open cluster it was made on; None for a plan that was loaded.
    """

    id: str
    cluster: str
    release: str
    purpose: Purpose
    created_at: str
    base_revision: int | None
    objects: tuple[ObjectPlan, ...]
    steps: tuple[Step, ...]
    diagnostics: tuple[Diagnostic, ...] = ()
    documents: tuple[Mapping[str, Any], ...] = attrs.field(default=(), repr=False)
    note: str = "apply"
    needs_approval: bool = False
    manifests: Mapping[str, Manifest] = attrs.field(
        factory=dict[str, "Manifest"], repr=False, eq=False
    )
    made_on: MadeOn | None = attrs.field(default=None, repr=False, eq=False)

    @property
    def changes(self) -> tuple[ObjectPlan, ...]:
        """Return the objects something would be done to."""
        wanted = (
            ObjectAction.CREATE,
            ObjectAction.UPDATE,
            ObjectAction.DELETE,
            ObjectAction.REPLACE,
        )
        return tuple(item for item in self.objects if item.action in wanted)

    @property
    def conflicts(self) -> tuple[ObjectPlan, ...]:
        """Return the objects that have a conflict."""
        return tuple(item for item in self.objects if item.conflicts)

    @property
    def has_conflicts(self) -> bool:
        """Return whether somebody else changed a field we would change."""
        return bool(self.conflicts)

    @property
    def revision(self) -> int:
        """Return the number of the revision that an apply makes."""
        return (self.base_revision or 0) + 1

    @property
    def withheld(self) -> tuple[str, ...]:
        """Return the secrets a stored plan lacks; with any, only its manifests can be applied."""
        from pmpc_reconcile.plans.withheld import withheld_secrets

        return withheld_secrets(self)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        """Return the diagnostics that forbid an apply."""
        return tuple(item for item in self.diagnostics if item.is_error)

    @property
    def empty(self) -> bool:
        """Return whether an apply would write nothing."""
        return not self.steps

    @property
    def risk(self) -> Risk:
        """Return the risk of the riskiest step."""
        return highest(step.risk for step in self.steps)

    @property
    def estimated_seconds(self) -> float:
        """Return about how long an apply takes, from what such steps usually take."""
        from pmpc_reconcile.plans.estimate import Estimate

        return Estimate(self.steps).left()

    def counts(self) -> dict[str, int]:
        """Return how many objects each action concerns, actions without objects left out."""
        found: dict[str, int] = {}
        for item in self.objects:
            found[item.action.value] = found.get(item.action.value, 0) + 1
        return found

    def object(self, address: str) -> ObjectPlan:
        """Return the entry of an object.

        Raises:
            KeyError: The plan has no such object.
        """
        found = self.find(address)
        if found is None:
            raise KeyError(address)
        return found

    def find(self, address: str) -> ObjectPlan | None:
        """Return the entry of an object, None if the plan has none."""
        return next((item for item in self.objects if item.address == address), None)

    def explain(self) -> str:
        """Return the plan as text for people: objects, changes with reasons, steps, conflicts."""
        from pmpc_reconcile.plans.explain import explain

        return explain(self)

    def to_graph(self, language: GraphLanguage) -> str:
        """Return the steps and what they wait for as a graph, for Graphviz or Mermaid."""
        from pmpc_reconcile.plans.graph import to_dot, to_mermaid

        return to_dot(self.steps) if language == "dot" else to_mermaid(self.steps)

    def preconditions(self, step: Step) -> tuple[str, ...]:
        """Return what has to hold when a step begins, beside the steps it waits for."""
        from pmpc_reconcile.plans.preconditions import preconditions

        return preconditions(self)[step.id]

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as JSON data, secrets replaced by their fingerprints."""
        from pmpc_reconcile.plans.codec import plan_to_dict

        return plan_to_dict(self)

    def to_json(self) -> str:
        """Return the plan as versioned JSON text."""
        from pmpc_reconcile.plans.codec import plan_to_json

        return plan_to_json(self)

    def save(self, path: str | Path) -> None:
        """Write the plan to a file as versioned JSON, all or nothing, for its owner only."""
        from pmpc_reconcile.plans.files import save_plan

        save_plan(self, path)

    @staticmethod
    def load(path: str | Path) -> Plan:
        """Return the plan that `save` wrote, also an older pmpc's.

        Raises:
            PlanError: There is no such file, or it is not a plan.
            PlanVersionUnsupported: A newer pmpc wrote it.
        """
        from pmpc_reconcile.plans.files import load_plan

        return load_plan(path)

    @staticmethod
    def from_json(text: str) -> Plan:
        """Return the plan that `to_json` wrote.

        Raises:
            PlanError: The text is not a plan.
            PlanVersionUnsupported: A newer pmpc wrote it.
        """
        from pmpc_reconcile.plans.codec import plan_from_json

        return plan_from_json(text)
