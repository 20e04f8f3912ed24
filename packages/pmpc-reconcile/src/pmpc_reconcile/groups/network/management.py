"""Would a change of a node's network cut off the way we, or the other nodes, reach it?"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from pmpc_reconcile.groups.network.state import Interfaces, Options, ports_of
from pmpc_reconcile.values.writing import write_value


def cut_off(now: Interfaces, after: Interfaces, addresses: Iterable[str]) -> tuple[str, ...]:
    """Say why a change would cut off addresses of the management; nothing if it would not.

    The address has to stay, on an interface that starts by itself, over at least one of the
    network cards (and in the same VLANs) that carry it now, with the gateway it has now.

    Args:
        now: The interfaces as they are.
        after: As they would be.
        addresses: Addresses of the API and of the cluster's link; others are passed over.
    """
    return tuple(reason for address in addresses for reason in _cuts(now, after, address))


def _cuts(now: Interfaces, after: Interfaces, address: str) -> Iterator[str]:
    before = _carrier(now, address)
    if before is None:
        return
    carrier = _carrier(after, address)
    if carrier is None:
        yield f"no interface would have the management address {address} any more"
        return
    if _on(now[before]) and not _on(after[carrier]):
        yield f"{carrier}, which has the management address {address}, would not start by itself"
    gateway = _gateway_name(address)
    has = now[before].get(gateway)
    if has and after[carrier].get(gateway) != has:
        gone = after[carrier].get(gateway) or "nothing"
        yield f"the gateway of the management address {address} would be {gone} instead of {has}"
    cards, others = _cards(now, before), _cards(after, carrier)
    if cards and not cards & others:
        which = " or ".join(sorted(" VLAN ".join(card) for card in cards))
        yield f"the management address {address} would not go over {which} any more"


def _carrier(interfaces: Interfaces, address: str) -> str | None:
    try:
        wanted = ipaddress.ip_address(address)
    except ValueError:
        return None
    for name, options in interfaces.items():
        for option in ("cidr", "cidr6"):
            text = str(options.get(option) or "")
            if text and ipaddress.ip_interface(text).ip == wanted:
                return name
    return None


def _gateway_name(address: str) -> str:
    return "gateway6" if ":" in address else "gateway"


def _on(options: Options) -> bool:
    return write_value(options.get("autostart", False)) == "1"


def _cards(
    interfaces: Interfaces, name: str, seen: frozenset[str] = frozenset()
) -> set[tuple[str, ...]]:
    """Return the network cards below an interface, each with the VLANs on the way."""
    options = interfaces.get(name)
    if name in seen or (options is None and "." not in name):
        return set()
    below = ports_of(options) if options is not None else ()
    device, _, tag = name.partition(".")
    if options is not None and options.get("type") == "vlan":
        device = str(options.get("vlan-raw-device", device))
        tag = write_value(options.get("vlan-id", tag))
    if tag:
        inner = _cards(interfaces, device, seen | {name}) or {(device,)}
        return {(*card, tag) for card in inner}
    if options is not None and options.get("type") == "eth":
        return {(name,)}
    found: set[tuple[str, ...]] = set()
    for port in below:
        found |= _cards(interfaces, port, seen | {name}) or {(port,)}
    return found
