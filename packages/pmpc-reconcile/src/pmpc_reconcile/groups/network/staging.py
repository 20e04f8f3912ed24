"""The next call that brings a node's staged interfaces nearer to what is wanted.

PVE refuses a configuration in which two interfaces have the same port, at every single call: so
an interface gives up a port before another one takes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from pmpc_reconcile.groups.network.state import (
    PORTS,
    Interfaces,
    Options,
    plain_options,
    ports_of,
    touched,
)
from pmpc_reconcile.values.writing import write_value


@attrs.frozen
class Staging:
    """One call that stages a change.

    Attributes:
        name: What it is for: `create bond0`.
        method: HTTP method.
        iface: The interface; empty where the path names none.
        params: Its parameters.
    """

    name: str
    method: str
    iface: str
    params: Mapping[str, object]


def next_staging(staged: Interfaces, target: Interfaces) -> Staging | None:
    """Return the next call, None when everything is staged."""
    return next(_stagings(staged, target), None)


def _stagings(staged: Interfaces, target: Interfaces) -> Iterator[Staging]:
    changed = touched(staged, target)
    made = [name for name in changed if name in target]
    for name in sorted(made, key=lambda each: _depth(each, target)):
        yield from _given_up(name, staged, target)
        yield _staging(name, staged.get(name), target[name])
    for name in sorted(changed, key=lambda each: -_depth(each, staged)):
        if name not in target:
            yield Staging(f"remove {name}", "DELETE", name, {})


def _given_up(name: str, staged: Interfaces, target: Interfaces) -> Iterator[Staging]:
    """Take ports an interface is about to get away from whoever has them now."""
    wanted = set(ports_of(target[name]))
    for other, options in staged.items():
        taken = wanted & set(ports_of(options)) if other != name else set[str]()
        if not taken:
            continue
        if other not in target:
            yield Staging(f"remove {other}", "DELETE", other, {})
            continue
        rest = dict(options)
        for option in PORTS:
            if option in options:
                left = [port for port in str(options[option]).split() if port not in taken]
                rest[option] = " ".join(left)
        call = _staging(other, options, rest)
        yield attrs.evolve(call, name=f"take {', '.join(sorted(taken))} from {other}")


def _staging(name: str, now: Options | None, wanted: Options) -> Staging:
    """Return the call for one interface; PVE forgets addresses that are not sent again."""
    params: dict[str, object] = {
        option: write_value(value) for option, value in wanted.items() if value != ""
    }
    if now is None:
        return Staging(f"create {name}", "POST", "", {"iface": name, **params})
    gone = sorted((plain_options(now) or {}).keys() - params.keys())
    if gone:
        params["delete"] = ",".join(gone)
    return Staging(f"change {name}", "PUT", name, params)


def _depth(name: str, interfaces: Interfaces, seen: frozenset[str] = frozenset()) -> int:
    """Return how many interfaces lie below one: ports and raw devices are made before it."""
    options = interfaces.get(name)
    if options is None or name in seen:
        return 0
    below = [*ports_of(options), str(options.get("vlan-raw-device", name.partition(".")[0]))]
    inner = (_depth(each, interfaces, seen | {name}) for each in below if each != name)
    return 1 + max(inner, default=0)
