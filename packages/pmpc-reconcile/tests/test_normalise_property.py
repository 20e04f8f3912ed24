"""Properties over generated manifests: what a server makes of a wish plans to nothing.

Values come from the API's facts, so every option of every version takes part.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pmpc_reconcile.diff import Diff, Wire, create_options, three_way, to_wire
from pmpc_reconcile.kinds import (
    Kind,
    Option,
    OptionSet,
    Scalar,
    Shape,
    ValueType,
    kind,
    options_of,
)
from pmpc_reconcile.manifests import Manifest, load_text, manifest_from_document
from pmpc_reconcile.values import (
    Fields,
    Secret,
    format_size,
    from_record,
    live_fields,
    parse_size,
    read_option,
    to_record,
)

VERSIONS = ("8.4", "9.0", "9.1", "9.2")
KINDS = (kind("VirtualMachine"), kind("Container"))
SAMPLES = {
    "dns-name": ["a", "web-1.example"],
    "dns-name-list": ["example.com", "example.com lan"],
    "pve-storage-id": ["local", "local-lvm"],
    "pve-bridge-id": ["vmbr0", "vmbr1"],
    "address-list": ["1.1.1.1", "1.1.1.1 8.8.8.8"],
    "lxc-ip-with-ll-iface-list": ["1.1.1.1"],
    "ipv4": ["10.0.0.1"],
    "ipv6": ["fd00::1"],
    "pve-ipv4-config": ["dhcp", "10.0.0.5/24"],
    "pve-ipv6-config": ["auto", "fd00::5/64"],
    "pve-cpuset": ["0-3"],
    "pve-configid": ["abc"],
    "pve-lxc-mp-string": ["/data", "/srv/x"],
    "pve-lxc-dev-string": ["/dev/kvm"],
    "pve-volume-id": ["local:snippets/a.sh"],
    "pve-hotplug-features": ["network,disk,usb", "disk,network", "0"],
    "pve-ct-timezone": ["host", "Europe/Berlin"],
    "pve-qm-bootdisk": ["scsi0"],
}
MAC = "BC:24:11:0A:0B:0C"


def scalars(scalar: Scalar) -> st.SearchStrategy[Any] | None:
    """Valid values; None where a pattern decides."""
    if scalar.enum:
        return st.sampled_from(scalar.enum)
    if scalar.type is ValueType.BOOLEAN:
        return st.booleans()
    if scalar.type in (ValueType.INTEGER, ValueType.NUMBER):
        low = int(scalar.minimum or 0)
        high = int(scalar.maximum) if scalar.maximum is not None else low + 10_000
        return st.integers(low, high)
    if scalar.type is ValueType.MAC:
        return st.just(MAC)
    if scalar.type is ValueType.SIZE:
        return st.integers(1, 4096).map(lambda number: f"{number * 4}M")
    if scalar.format in SAMPLES:
        return st.sampled_from(SAMPLES[scalar.format])
    if scalar.pattern is not None or scalar.format is not None:
        return None
    texts = st.text("abcdefgh0123456789", min_size=max(1, scalar.min_length or 1), max_size=20)
    return texts.filter(lambda text: text not in ("0", "1"))


@st.composite
def option_values(draw: st.DrawFn, option: Option) -> Any:
    if option.shape is Shape.SET:
        return draw(st.lists(st.sampled_from(["web", "db", "prod", "v1.2"]), min_size=1))
    if option.shape is Shape.ENCODED:
        return draw(st.sampled_from(["ssh-ed25519 AAAA a@b", "ssh-rsa B+/= c@d\nssh-rsa C d@e"]))
    if option.shape not in (Shape.PROPERTIES, Shape.DISK):
        strategy = scalars(option.scalar)
        return None if strategy is None else draw(strategy)
    keys: dict[str, Any] = {}
    made = {"volume", "size", "import-from", "media", "format", "storage"}
    for name, key in option.keys.items():
        strategy = scalars(key.scalar)
        if option.shape is Shape.DISK and name in made:
            continue
        if key.required and strategy is None:
            return None
        if strategy is not None and (key.required or draw(st.integers(0, 5)) == 0):
            keys[name] = draw(strategy)
    if option.shape is Shape.DISK:
        keys["storage"] = draw(st.sampled_from(["local", "local-lvm"]))
        if option.name not in ("efidisk0", "tpmstate0"):
            keys["size"] = draw(st.integers(1, 4096).map(lambda number: f"{number * 4}M"))
    return keys or None


Case = tuple[Kind, str, dict[str, Any]]


@st.composite
def options_declared(draw: st.DrawFn, of: Kind, version: str) -> dict[str, Any]:
    options = options_of(of, version)
    names = sorted(options.options)
    config: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(names), max_size=10, unique=True)):
        option = options.options[name]
        if name in of.create_only:
            continue
        slot = option.name if option.slots is None else f"{option.name}{draw(st.integers(0, 2))}"
        value = draw(option_values(option))
        if value is not None:
            config[slot] = value
    return config


@st.composite
def configs(draw: st.DrawFn) -> Case:
    of, version = draw(st.sampled_from(KINDS)), draw(st.sampled_from(VERSIONS))
    return of, version, draw(options_declared(of, version))


@st.composite
def steps(draw: st.DrawFn) -> tuple[Case, dict[str, Any]]:
    of, version, config = draw(configs())
    other = draw(options_declared(of, version))
    kept = {name: value for name, value in config.items() if draw(st.booleans())}
    return (of, version, config), {**kept, **other}


def manifest(of: Kind, version: str, config: dict[str, Any]) -> Manifest:
    document = {
        "apiVersion": "pmpc/v1",
        "kind": of.name,
        "metadata": {"name": "web-1"},
        "spec": {"config": config},
    }
    (found,) = load_text(json.dumps(document), name="x.json", version=version)
    return found


def stored(of: Kind, live: dict[str, Any], wire: Wire, numbers: Iterator[int]) -> dict[str, Any]:
    """What PVE shows after a write: keys reordered, MACs, volumes and sizes filled in."""
    assert not wire.refused, [str(each) for each in wire.refused]
    config = {name: value for name, value in live.items() if name not in wire.delete}
    options = options_of(of)
    for resize in wire.resize:
        parts = [part for part in str(config[resize.disk]).split(",") if part[:5] != "size="]
        config[resize.disk] = ",".join([*parts, f"size={resize.text}"])
    for name, value in wire.set.items():
        option = options.find(name)
        assert option is not None
        text = value.text if isinstance(value, Secret) else value
        config[name] = shown(option, text, numbers)
    for move in wire.move:
        rest = str(config[move.disk]).partition(":")[2].partition(",")
        config[move.disk] = f"{move.storage}:moved-{next(numbers)}{rest[1]}{rest[2]}"
    return config


def shown(option: Option, text: str, numbers: Iterator[int]) -> Any:
    if option.shape is Shape.SECRET:
        return "**********"
    if option.shape is Shape.TEXT:
        return text + "\n"
    if option.shape is Shape.DISK:
        return shown_disk(option, text, numbers)
    if option.shape is Shape.PROPERTIES:
        first, *rest = text.split(",")
        if option.name == "net" and first in option.models:
            first = f"{first}={MAC[:-2]}{next(numbers) % 90 + 10}"
        return ",".join([first, *reversed(rest)])
    if option.scalar.type is ValueType.INTEGER and option.only_key is None:
        return int(text)
    return text


def shown_disk(option: Option, text: str, numbers: Iterator[int]) -> str:
    first, *rest = text.split(",")
    storage, _, amount = first.partition(":")
    if amount.replace(".", "").isdigit():
        size = format_size(parse_size(f"{amount}G")) if float(amount) else "528K"
        first, rest = f"{storage}:vm-100-disk-{next(numbers)}", [*rest, f"size={size}"]
        rest = [part for part in rest if not part.startswith("format=")]
    return ",".join([first, *sorted(rest)])


def mark(text: str) -> str:
    return f"mark-{len(text)}"


def compare(of: Kind, found: Manifest, live: dict[str, Any], owned: Fields) -> Diff:
    return three_way(of, found.fields, live_fields(of, live), owned, fingerprint=mark)


def recorded(diff: Diff) -> Fields:
    """What the next run knows of this one: through the database."""
    return from_record(json.loads(json.dumps(to_record(diff.owned_after(), mark))))


def applied(of: Kind, found: Manifest) -> tuple[dict[str, Any], Iterator[int]]:
    numbers = itertools.count()
    return stored(of, {}, create_options(of, found), numbers), numbers


@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(configs())
def test_after_applying_there_is_nothing_to_change(case: Case) -> None:
    of, version, config = case
    found = manifest(of, version, config)
    live, _ = applied(of, found)
    first = compare(of, found, live, {})
    assert {change.path for change in first.changes} <= {"config.cipassword"}, first.changes
    assert compare(of, found, live, recorded(first)).empty


def explicit(options: OptionSet, config: dict[str, Any]) -> dict[str, Any]:
    """Write out every default."""
    result: dict[str, Any] = {}
    for name, value in config.items():
        option = options.find(name)
        if option is not None and isinstance(value, dict):
            defaults = {
                key: known.scalar.default
                for key, known in option.keys.items()
                if known.scalar.default is not None and key not in ("media", "cloudinit")
            }
            result[name] = {**defaults, **value}
        else:
            result[name] = value
    single = {
        option.name: option.scalar.default
        for option in options.options.values()
        if option.slots is None and option.scalar.default is not None
    }
    return {**single, **result}


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(configs(), st.randoms(use_true_random=False))
def test_order_and_written_out_defaults_change_nothing(case: Case, random: Any) -> None:
    of, version, config = case
    found = manifest(of, version, config)
    live, _ = applied(of, found)
    owned = recorded(compare(of, found, live, {}))

    def shuffled(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        entries = list(value.items())  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # keys and values of any JSON
        random.shuffle(entries)
        return {key: shuffled(entry) for key, entry in entries}  # pyright: ignore[reportUnknownVariableType]  # as above

    again = manifest(of, version, shuffled(explicit(options_of(of, version), config)))
    diff = compare(of, again, live, owned)
    fixed = {"config.unprivileged", "config.arch"}
    assert not [each for each in diff.changes if each.path not in fixed], diff.changes
    assert not diff.conflicts


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(configs())
def test_reading_twice_is_reading_once(case: Case) -> None:
    of, version, config = case
    found = manifest(of, version, config)
    again = manifest_from_document(json.loads(json.dumps(found.to_document())), version)
    assert again.to_document() == found.to_document()
    secret = {"config.cipassword"}
    assert again.fields.keys() == found.fields.keys()
    assert all(again.fields[path] == found.fields[path] for path in again.fields.keys() - secret)
    live, _ = applied(of, found)
    for name, value in live.items():
        option = options_of(of).find(name)
        assert option is not None
        assert read_option(option, value) == read_option(option, str(value))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps())
@example(
    (
        (KINDS[0], "9.2", {"sata2": {"storage": "local", "size": "4M", "ssd": True}}),
        {"sata2": {"storage": "local", "size": "8M", "ssd": True}},
    )
)
def test_going_from_one_manifest_to_another_ends_there(step: tuple[Case, dict[str, Any]]) -> None:
    (of, version, config), target = step
    first = manifest(of, version, config)
    live, numbers = applied(of, first)
    owned = recorded(compare(of, first, live, {}))
    second = manifest(of, version, target)
    diff = compare(of, second, live, owned)
    assert not diff.conflicts
    wire = to_wire(of, diff.changes, live)
    if wire.refused:
        assert all("shrink" in str(each) or "removed" in str(each) for each in wire.refused)
        return
    after = stored(of, live, wire, numbers)
    settled = compare(of, second, after, recorded(diff))
    assert settled.empty, (settled.changes, settled.conflicts)
    assert not _left_over(first, second, live_fields(of, after))


def _left_over(first: Manifest, second: Manifest, live: Fields) -> list[str]:
    """Fields only the first manifest had and that are still as it wanted them."""
    slots = {path.rpartition(".")[0] for path in second.fields}
    return [
        path
        for path in first.fields
        if path not in second.fields
        and path in live
        and path.rpartition(".")[0] not in slots
        and not path.startswith("config.rootfs")
    ]
