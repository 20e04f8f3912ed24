"""Find the rule for a change, and what it means for a guest as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pmpc_reconcile.classify.rule import Effect, Rule, Value
from pmpc_reconcile.classify.tables import OUTSIDE, TABLES, WAITS
from pmpc_reconcile.diff import Action
from pmpc_reconcile.kinds import Kind, meaning, options_of
from pmpc_reconcile.values import ABSENT, split_path

_DEFAULT: Final = frozenset({"network", "disk", "usb"})
# USB devices, other than the tablet, need a system that understands the controller they hang on.
_USB_DEVICES: Final = "usb-devices"
_USB_SYSTEMS: Final = frozenset({"l26", "win8", "win10", "win11"})


def classify(
    kind: Kind,
    path: str,
    action: Action,
    *,
    running: bool,
    hotplug: frozenset[str] = _DEFAULT | {_USB_DEVICES},
    new_slot: bool | None = None,
    before: Value = ABSENT,
    after: Value = ABSENT,
) -> Effect:
    """Say what a change takes until it counts.

    Args:
        kind: The kind of object.
        path: The field.
        action: What happens to it.
        running: Whether the guest runs.
        hotplug: Its hot-plug features, see `hotplug_features`.
        new_slot: Whether the whole option comes or goes rather than a key of it; None guesses
            by the path: without a key it is the whole option.
        before: Its value now; a few options can only be switched by a restart.
        after: Its value then.
    """
    rule = rule_for(kind, path, action, new_slot=new_slot)
    if rule.effect in (Effect.CREATE_ONLY, Effect.REPLACE):
        return rule.effect
    if not running:
        return Effect.LIVE
    if rule.feature is not None and rule.feature not in hotplug:
        return Effect.RESTART
    if rule.unless is not None and rule.unless(before, after):
        return Effect.RESTART
    return rule.effect


def why_waits(
    kind: Kind,
    path: str,
    action: Action,
    *,
    hotplug: frozenset[str] = _DEFAULT | {_USB_DEVICES},
    new_slot: bool | None = None,
) -> str:
    """Say why a change waits for a restart of a running guest.

    Args:
        kind: The kind of object.
        path: The field.
        action: What happens to it.
        hotplug: Its hot-plug features, see `hotplug_features`.
        new_slot: As for `classify`.
    """
    rule = rule_for(kind, path, action, new_slot=new_slot)
    if rule.feature == _USB_DEVICES and rule.feature not in hotplug:
        return "its system takes no USB devices while it runs"
    if rule.feature is not None and rule.feature not in hotplug:
        return f"hot-plug of {rule.feature} is off"
    if rule.unless is not None and rule.effect is Effect.LIVE:
        return "what this value switches comes and goes with a start"
    return "it is read when the guest starts"


def rule_for(kind: Kind, path: str, action: Action, *, new_slot: bool | None = None) -> Rule:
    """Return the rule that decides about a change, with its source."""
    section, name, key = split_path(path)
    if section != "config" or name is None or kind.guest is None:
        return OUTSIDE
    option = options_of(kind).find(name)
    stem = name if option is None else option.name
    if key in meaning.CREATE_ONLY_KEYS and not new_slot:
        return Rule(options=frozenset({stem}), effect=Effect.CREATE_ONLY, source="disk key")
    whole = new_slot if new_slot is not None else key is None
    for rule in TABLES[kind.guest]:
        if stem in rule.options and _fits(rule, key, action, whole):
            return rule
    return WAITS


def _fits(rule: Rule, key: str | None, action: Action, whole: bool) -> bool:
    if rule.actions is not None and action not in rule.actions:
        return False
    if rule.slot is not None and rule.slot is not whole:
        return False
    return rule.keys is None or whole or key in rule.keys


def hotplug_features(config: Mapping[str, Any]) -> frozenset[str]:
    """Return the hot-plug features of a virtual machine as its running configuration has them.

    Memory needs NUMA besides: without it the feature does nothing. `usb-devices` is added where
    the guest's system takes USB devices while it runs.
    """
    text = str(config.get("hotplug", "1")).strip()
    if text == "0":
        return frozenset()
    found = _DEFAULT if text == "1" else frozenset(part.strip() for part in text.split(","))
    if str(config.get("numa", "0")) not in ("1", "True"):
        found -= {"memory"}
    if "usb" in found and config.get("ostype") in _USB_SYSTEMS:
        found |= {_USB_DEVICES}
    return found
