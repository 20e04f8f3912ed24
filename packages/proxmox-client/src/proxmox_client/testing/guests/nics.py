"""Network cards: generated MAC addresses and the order of their keys."""

from __future__ import annotations

import random

from proxmox_client.testing.guests import keyed

MODELS = frozenset(
    [
        "e1000",
        "e1000-82540em",
        "e1000-82544gc",
        "e1000-82545em",
        "e1000e",
        "i82551",
        "i82557b",
        "i82559er",
        "ne2k_isa",
        "ne2k_pci",
        "pcnet",
        "rtl8139",
        "virtio",
        "vmxnet3",
    ]
)
_REPLUG = ("model", "macaddr", "queues", "mtu")


def random_mac(rng: random.Random) -> str:
    """Return a MAC address with Proxmox's own prefix."""
    return "BC:24:11:" + ":".join(f"{rng.randrange(256):02X}" for _ in range(3))


def parse_net(text: str) -> dict[str, str]:
    """Read a QEMU card; the model stands under ``model``, its address under ``macaddr``."""
    found: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if key in MODELS:
            found["model"] = key
            if equals:
                found["macaddr"] = value.upper()
        elif key:
            found[key] = value if equals else "1"
    return found


def write_net(net: dict[str, str]) -> str:
    """Write a QEMU card: ``virtio=BC:24:11:00:00:01,bridge=vmbr0``."""
    rest = {key: value for key, value in net.items() if key not in ("model", "macaddr")}
    head = f"{net.get('model', '')}={net['macaddr']}"
    return ",".join(filter(None, (head, keyed.write(rest))))


def normalise_net(text: str, rng: random.Random, *, new_mac: bool = False) -> str:
    """Write a QEMU card as PVE stores it, with an address made up if it has none."""
    net = parse_net(text)
    if new_mac or "macaddr" not in net:
        net["macaddr"] = random_mac(rng)
    return write_net(net)


def needs_replug(old: str, new: str) -> bool:
    """Whether a running machine has to lose and regain the card for this change."""
    before, after = parse_net(old), parse_net(new)
    if any(before.get(key) != after.get(key) for key in _REPLUG):
        return True
    return not (before.get("bridge") and after.get("bridge"))


def normalise_veth(text: str, rng: random.Random, *, new_mac: bool = False) -> str:
    """Write a container's card as PVE stores it: name first, type and address filled in."""
    net = keyed.parse(text)
    if new_mac or "hwaddr" not in net:
        net["hwaddr"] = random_mac(rng)
    net.setdefault("type", "veth")
    return keyed.write(net, required=("name",))
