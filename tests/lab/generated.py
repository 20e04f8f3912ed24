"""Generated guests: every option of every version takes its turn.

Values come from the API's facts; what the facts leave open (a volume, a bridge, a device) is chosen
as people write it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

import attrs

from pmpc_reconcile.kinds import Kind, Option, Scalar, Shape, ValueType, kind, options_of

VERSIONS = ("8.4", "9.0", "9.1", "9.2")
KINDS = (kind("VirtualMachine"), kind("Container"))
EACH = 80
IMAGE = "local:vztmpl/debian-13-standard.tar.zst"

# What the simulated cluster does not have, or what only root's own session may set.
LEFT_OUT = {
    "amd-sev", "intel-tdx", "virtiofs", "hookscript", "cicustom", "vmstatestorage", "bootdisk",
    "running-nets-host-mtu", "hugepages", "keephugepages", "ivshmem", "vmgenid", "startdate",
    "arch", "vcpus", "entrypoint", "env",
}  # fmt: skip
DISK_KEYS_LEFT_OUT = {
    "volume", "size", "import-from", "media", "format", "shared", "cyls", "heads", "secs", "trans",
    "file", "storage", "acl", "mp", "idmap", "keepattrs",
}  # fmt: skip

TEXTS: Mapping[str, tuple[str, ...]] = {
    "dns-name": ("web-1", "db.example.com"),
    "dns-name-list": ("example.com", "example.com lan"),
    "pve-bridge-id": ("vmbr0", "vmbr1"),
    "address-list": ("1.1.1.1", "1.1.1.1 8.8.8.8"),
    "lxc-ip-with-ll-iface-list": ("1.1.1.1",),
    "ipv4": ("10.0.0.1",),
    "ipv6": ("fd00::1",),
    "pve-ipv4-config": ("dhcp", "10.0.0.5/24"),
    "pve-ipv6-config": ("auto", "fd00::5/64"),
    "pve-ipv4": ("10.0.0.1",),
    "pve-cpuset": ("0-3", "0,2"),
    "pve-lxc-dev-string": ("/dev/kvm", "/dev/net/tun"),
    "pve-hotplug-features": ("network,disk,usb", "disk,network", "0", "usb"),
    "pve-ct-timezone": ("host", "Europe/Berlin"),
    "mac-addr": ("BC:24:11:0A:0B:0C", "bc:24:11:0a:0b:0d"),
}
NAMED: Mapping[str, Callable[[random.Random], Any]] = {
    "memory": lambda chance: chance.choice([512, 1024, "2048", 4096]),
    "balloon": lambda chance: chance.choice([0, 256, 512]),
    "description": lambda chance: chance.choice(["one line", "two\nlines ü", "trailing\n"]),
    "args": lambda _: "-no-hpet",
    "affinity": lambda chance: chance.choice(["0-3", "0,2"]),
    "smbios1": lambda _: {"uuid": "6b4b8a4e-6a2b-4a5f-a4e5-5c5c5c5c5c5c"},
    "hostpci[n]": lambda chance: {"host": "0000:01:00.0", "pcie": chance.random() < 0.5},
    "usb[n]": lambda chance: {"host": chance.choice(["spice", "1234:abcd"])},
    "numa[n]": lambda chance: {"cpus": chance.choice(["0-1", "2"]), "memory": 512},
    "serial[n]": lambda chance: chance.choice(["socket", "/dev/ttyS0"]),
    "parallel[n]": lambda _: "/dev/parport0",
    "cpu": lambda chance: chance.choice(["host", {"cputype": "kvm64", "flags": ["+pcid", "+aes"]}]),
    "machine": lambda chance: chance.choice(["q35", "pc", {"type": "q35"}]),
    "tags": lambda chance: chance.choice([["web", "Db"], "b;a", ["v1.2"], "z,y x"]),
    "sshkeys": lambda chance: chance.choice(["ssh-ed25519 AAAA a@b", "ssh-rsa B+/= c\nssh-rsa D"]),
    "startup": lambda chance: chance.choice(["order=2", {"order": 1, "up": 30}, "3"]),
    "dev[n]": lambda _: {"path": "/dev/kvm", "mode": "0660"},
    "watchdog": lambda chance: chance.choice(["i6300esb", {"model": "ib700", "action": "reset"}]),
    "rng": lambda chance: {"source": "/dev/urandom", "max_bytes": chance.randrange(1024, 4096)},
    "features": lambda chance: {"nesting": True, "keyctl": chance.random() < 0.5},
    "ipconfig[n]": lambda chance: chance.choice(
        ["ip=dhcp", {"ip": "10.0.0.5/24", "gw": "10.0.0.1"}]
    ),
    "shares": lambda chance: chance.randrange(0, 50000),
}


@attrs.frozen
class Case:
    """One generated guest."""

    of: Kind
    version: str
    seed: int

    def __str__(self) -> str:
        return f"{self.of.guest}-{self.version}-{self.seed}"

    @property
    def config(self) -> dict[str, Any]:
        """Return its options as somebody would write them."""
        chance = random.Random(str(self))
        return dict(_options(self.of, self.version, self.seed, chance))


CASES = [Case(of, version, seed) for of in KINDS for version in VERSIONS for seed in range(EACH)]


def _options(of: Kind, version: str, seed: int, chance: random.Random) -> Iterator[tuple[str, Any]]:
    known = options_of(of, version).options
    names = sorted(
        name
        for name, option in known.items()
        if option.name not in LEFT_OUT | of.create_only and option.name not in ("boot", "rootfs")
    )
    # Every option has its turn, together with others by chance.
    chosen = {names[seed % len(names)], *chance.sample(names, chance.randrange(2, 12))}
    if of.guest == "lxc":
        yield "rootfs", {"storage": "local-lvm", "size": "4G"}
    for name in sorted(chosen):
        option = known[name]
        slots = (
            (0,) if option.slots is None else sorted(chance.sample(range(min(option.slots, 4)), 2))
        )
        for slot in slots:
            value = _value(option, chance)
            if value is not None:
                yield option.name if option.slots is None else f"{option.name}{slot}", value


def _value(option: Option, chance: random.Random) -> Any:
    if option.name == "net" and "bridge" in option.keys:
        named = {"name": f"eth{chance.randrange(90)}"} if "name" in option.keys else {}
        return _keys(option, chance) | {"bridge": "vmbr0"} | named
    if option.shape is Shape.DISK:
        return _disk(option, chance)
    name = option.name if option.slots is None else f"{option.name}[n]"
    if name in NAMED:
        return NAMED[name](chance)
    if option.shape is Shape.PROPERTIES:
        return _keys(option, chance) or None
    return _scalar(option.scalar, chance)


def _disk(option: Option, chance: random.Random) -> dict[str, Any]:
    keys = {
        key: value for key, value in _keys(option, chance).items() if key not in DISK_KEYS_LEFT_OUT
    }
    keys["storage"] = chance.choice(["local", "local-lvm"]) if option.name != "mp" else "local-lvm"
    if option.name not in ("efidisk0", "tpmstate0"):
        keys["size"] = chance.choice(["1G", "4G", "0.5G", "1000M", "32G"])
    if option.name == "mp":
        keys["mp"] = f"/srv/{chance.randrange(1000)}"
    return keys


def _keys(option: Option, chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, key in option.keys.items():
        if key.required or chance.random() < 0.2:
            value = _scalar(key.scalar, chance)
            if value is not None:
                found[name] = value
    return found


def _scalar(scalar: Scalar, chance: random.Random) -> Any:
    """Return a valid value, None where only a pattern knows."""
    if scalar.enum:
        return chance.choice(scalar.enum)
    if scalar.type is ValueType.BOOLEAN:
        return chance.choice([True, False, "on", "off", 1, 0])
    if scalar.type in (ValueType.INTEGER, ValueType.NUMBER):
        low = int(scalar.minimum or 0)
        high = int(scalar.maximum) if scalar.maximum is not None else low + 1000
        number = chance.randint(low, min(high, low + 1000))
        return chance.choice([number, str(number)])
    if scalar.type is ValueType.MAC:
        return chance.choice(TEXTS["mac-addr"])
    if scalar.format is not None and scalar.format in TEXTS:
        return chance.choice(TEXTS[scalar.format])
    if scalar.pattern is not None or scalar.format is not None or scalar.separator is not None:
        return None
    text = "".join(chance.choices("abcdefgh", k=max(3, scalar.min_length or 0)))
    return text[: scalar.max_length]


def document(case: Case, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of a guest."""
    return {
        "apiVersion": "pmpc/v1",
        "kind": case.of.name,
        "metadata": {"name": "guest"},
        "spec": {
            "config": config,
            **({"source": {"template": IMAGE}} if case.of.guest == "lxc" else {}),
        },
    }


def shuffled(case: Case) -> dict[str, Any]:
    """Return the same options in another order."""
    chance = random.Random(str(case))
    texts = {name: _permuted(value, chance) for name, value in case.config.items()}
    return {name: texts[name] for name in chance.sample(list(texts), len(texts))}


def _permuted(value: Any, chance: random.Random) -> Any:
    if not isinstance(value, dict):
        return value
    entries = cast("dict[str, Any]", value)
    return {key: entries[key] for key in chance.sample(list(entries), len(entries))}
