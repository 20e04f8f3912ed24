"""Tables of the reconcile loop: what people told it, and what it last found."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text, TypedColumns

from pmpc_state.schema.metadata import metadata
from pmpc_state.schema.types import Moment


class ControlColumns(TypedColumns):
    """What somebody told the loop about a cluster, a release (address '') or one object.

    Release '' means every release of the cluster. A null flag says nothing and leaves the word
    to the wider row.
    """

    cluster_id = Column(Integer, ForeignKey("cluster.id"), primary_key=True)
    release = Column(Text, primary_key=True)
    address = Column(Text, primary_key=True)
    suspended: Column[bool | None] = Column(Boolean, nullable=True)
    self_heal: Column[bool | None] = Column(Boolean, nullable=True)
    reason = Column(Text, nullable=False)
    actor = Column(Text, nullable=False)
    changed_at = Column(Moment, nullable=False)


control = Table("control", metadata, ControlColumns)


class ConditionColumns(TypedColumns):
    """One condition of one object as the loop last saw it, in Kubernetes' words."""

    cluster_id = Column(Integer, ForeignKey("cluster.id"), primary_key=True)
    release = Column(Text, primary_key=True)
    address = Column(Text, primary_key=True)
    type = Column(Text, primary_key=True)
    status = Column(Text, nullable=False)
    reason = Column(Text, nullable=False)
    message = Column(Text, nullable=False)
    changed_at = Column(Moment, nullable=False)
    seen_at = Column(Moment, nullable=False)


condition = Table("condition", metadata, ConditionColumns)
