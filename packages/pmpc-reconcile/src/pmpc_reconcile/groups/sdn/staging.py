"""The next call that brings what is staged nearer to what is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import attrs

from pmpc_reconcile.groups.sdn.state import SECTIONS, Objects, Options, SdnState
from pmpc_reconcile.kinds.sdn import ARRAYS, MADE_BY
from pmpc_reconcile.values import FieldValue
from pmpc_reconcile.values.writing import write_value

_PATH: Final = "/cluster/sdn"
_KEYS: Final = {"zones": "zone", "vnets": "vnet", "controllers": "controller"}


@attrs.frozen
class Staging:
    """One call that stages a change.

    Attributes:
        name: What it is for: `create zones lab`.
        method: HTTP method.
        path: Its path.
        params: Its parameters without lock token and digest.
        section: Whose digest goes with it, None for none.
    """

    name: str
    method: str
    path: str
    params: Mapping[str, object]
    section: str | None = None


def next_staging(state: SdnState, target: Objects) -> Staging | None:
    """Return the next call, None when everything is staged.

    Objects are made and changed from controllers to subnets and removed the other way round. An
    object that moves (a subnet to another network) is removed first.
    """
    return next(_stagings(state, target), None)


def _stagings(state: SdnState, target: Objects) -> Iterator[Staging]:
    staged = state.staged
    for section in reversed(SECTIONS):
        for name, options in staged[section].items():
            wanted = target[section].get(name)
            moves = wanted is not None and section == "subnets" and _moves(options, wanted)
            if moves:
                yield _delete(state, section, name)
    for section in SECTIONS:
        for name, wanted in target[section].items():
            now = staged[section].get(name)
            if now is None:
                yield _create(section, name, wanted)
            elif (params := _difference(now, wanted)) != {}:
                path = _object_path(state, section, name)
                yield Staging(f"change {section} {name}", "PUT", path, params, section)
    for section in reversed(SECTIONS):
        for name in staged[section]:
            if name not in target[section]:
                yield _delete(state, section, name)


def _moves(now: Options, wanted: Options) -> bool:
    return now.get("vnet") != wanted.get("vnet")


def _create(section: str, name: str, wanted: Options) -> Staging:
    params = {option: _wire(option, value) for option, value in wanted.items()}
    if section == "subnets":
        vnet = params.pop("vnet")
        params |= {"subnet": name, "type": "subnet"}
        return Staging(f"create subnet {name}", "POST", f"{_PATH}/vnets/{vnet}/subnets", params)
    params[_KEYS[section]] = name
    return Staging(f"create {section} {name}", "POST", f"{_PATH}/{section}", params)


def _difference(now: Options, wanted: Options) -> dict[str, object]:
    params: dict[str, object] = {
        option: _wire(option, value)
        for option, value in wanted.items()
        if option not in now or write_value(now[option]) != write_value(value)
    }
    gone = sorted(now.keys() - wanted.keys())
    return {**params, "delete": ",".join(gone)} if gone else params


def _delete(state: SdnState, section: str, name: str) -> Staging:
    path = _object_path(state, section, name)
    return Staging(f"remove {section} {name}", "DELETE", path, {})


def _object_path(state: SdnState, section: str, name: str) -> str:
    if section != "subnets":
        return f"{_PATH}/{section}/{name}"
    vnet = state.staged[section][name][MADE_BY[section]]
    return f"{_PATH}/vnets/{vnet}/subnets/{state.ids[name]}"


def _wire(option: str, value: FieldValue) -> object:
    text = write_value(value)
    if option == "dhcp-range":
        spans = (span.partition("-") for span in text.split())
        return [f"start-address={first},end-address={last}" for first, _, last in spans]
    if option in ARRAYS:
        return text.split()
    return text.replace(" ", ",") if option != "alias" else text
