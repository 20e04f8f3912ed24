"""Classify: what a change of an option takes on a guest that runs.

A table with its sources, and the look-up in it. It is a prediction for the plan: after a write the
server's pending list tells what really waits.
"""

from __future__ import annotations

from pmpc_reconcile.classify.lookup import classify, hotplug_features, rule_for, why_waits
from pmpc_reconcile.classify.rule import Effect, Rule
from pmpc_reconcile.classify.tables import CLOUD_INIT

__all__ = ["CLOUD_INIT", "Effect", "Rule", "classify", "hotplug_features", "rule_for", "why_waits"]
