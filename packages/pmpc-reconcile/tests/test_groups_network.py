"""A node's interfaces: any configuration is staged into any other, port by port; cut-offs seen."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pmpc_reconcile.groups.network.management import cut_off
from pmpc_reconcile.groups.network.staging import Staging, next_staging
from pmpc_reconcile.groups.network.state import Interfaces, Options, ports_of, touched

CARDS = ["eth0", "eth1", "eth2", "eth3"]
ADDRESS = "10.0.0.1"


@st.composite
def networks(draw: st.DrawFn) -> Interfaces:
    """Draw interfaces in which no card has two users."""
    found: dict[str, Options] = {card: {"type": "eth"} for card in CARDS}
    free = draw(st.permutations(CARDS))
    slaves, ports = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    bonded, bridged = sorted(free[:slaves]), sorted(free[slaves : slaves + ports])
    if bonded:
        found["bond0"] = {"type": "bond", "slaves": " ".join(bonded), "autostart": True}
        if draw(st.booleans()):
            bridged = ["bond0"]
    if draw(st.booleans()):
        tag = draw(st.integers(2, 9))
        found[f"vmbr0.{tag}"] = {"type": "vlan", "mtu": draw(st.sampled_from([1500, 9000]))}
    address = draw(st.sampled_from([f"{ADDRESS}/24", "10.9.9.9/24"]))
    found["vmbr0"] = {
        "type": "bridge", "bridge_ports": " ".join(bridged), "cidr": address, "autostart": True,
    }  # fmt: skip
    return found


def carried_out(staged: Interfaces, call: Staging) -> Interfaces:
    """Carry a call out as PVE does."""
    found = dict(staged)
    if call.method == "DELETE":
        del found[call.iface]
        return found
    gone = str(call.params.get("delete", "")).split(",")
    sent: dict[str, str] = {
        name: str(value) for name, value in call.params.items() if name not in ("delete", "iface")
    }
    name = call.iface or str(call.params["iface"])
    kept = {key: value for key, value in staged.get(name, {}).items() if key not in gone}
    found[name] = {**kept, **sent}
    return found


@given(networks(), networks())
@settings(max_examples=200, deadline=None)
def test_any_network_is_staged_into_any_other(now: Interfaces, target: Interfaces) -> None:
    staged, calls = now, 0
    while (call := next_staging(staged, target)) is not None:
        staged = carried_out(staged, call)
        used = [port for options in staged.values() for port in ports_of(options)]
        assert len(used) == len(set(used)), call
        calls += 1
        assert calls <= 3 * len({*now, *target})
    assert touched(staged, target) == ()


def cards_below(network: Interfaces, name: str) -> set[str]:
    """Tell the cards below an interface, in other words than the code's."""
    if name in CARDS:
        return {name}
    options = network.get(name, {})
    return {card for port in ports_of(options) for card in cards_below(network, port)}


@given(networks(), networks())
@settings(max_examples=200, deadline=None)
def test_a_change_is_let_through_only_if_a_card_still_carries_the_address(
    now: Interfaces, target: Interfaces
) -> None:
    has = str(now["vmbr0"]["cidr"]).startswith(ADDRESS)
    keeps = str(target["vmbr0"]["cidr"]).startswith(ADDRESS)
    before, after = cards_below(now, "vmbr0"), cards_below(target, "vmbr0")
    fine = not has or (keeps and (not before or bool(before & after)))
    assert (cut_off(now, target, [ADDRESS]) == ()) is fine
    assert cut_off(now, now, [ADDRESS]) == ()


def test_an_address_may_move_to_a_vlan_aware_bridge_only_in_its_vlan() -> None:
    cards: Interfaces = {"eth0": {"type": "eth"}}
    now: Interfaces = {
        **cards,
        "eth0.5": {"type": "vlan", "cidr": f"{ADDRESS}/24", "autostart": True},
    }
    bridge: Options = {"type": "bridge", "bridge_ports": "eth0", "autostart": True}
    same: Options = {"type": "vlan", "cidr": f"{ADDRESS}/24", "autostart": True}
    assert cut_off(now, {**cards, "vmbr0": bridge, "vmbr0.5": same}, [ADDRESS]) == ()
    other: Interfaces = {**cards, "vmbr0": bridge, "vmbr0.6": same}
    assert "eth0 VLAN 5" in cut_off(now, other, [ADDRESS])[0]
