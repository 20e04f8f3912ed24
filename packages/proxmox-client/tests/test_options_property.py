"""Structured options survive every way there and back, over all formats of the API's facts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxmox_client import options, schema
from proxmox_client.api import operations
from proxmox_client.api.options import OPTIONS
from proxmox_client.options import Key, OptionValue
from proxmox_client.options.typed import TypedOptions
from proxmox_client.schema import ParameterFacts, PropertyFormat
from proxmox_client.wire.operation import Operation

RECORDINGS = Path(__file__).parents[3] / "tests" / "data" / "recordings"
SETTINGS = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
CLASSES: list[type[OptionValue]] = [
    getattr(options, name)
    for name in sorted({n for known in OPTIONS.values() for n in known.values()})
]
each_class = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def owner_of(path: str) -> str:
    below = path.removeprefix("/nodes/{node}/")
    return next((guest for guest in ("qemu", "lxc") if below.startswith(guest)), "")


def structured(parameter: ParameterFacts) -> Iterator[PropertyFormat]:
    if isinstance(parameter.format, PropertyFormat):
        yield parameter.format
    for inner in (*((parameter.items,) if parameter.items else ()), *parameter.one_of):
        yield from structured(inner)


def all_formats() -> list[tuple[str, str, str, PropertyFormat]]:
    found: dict[tuple[str, str, str, int], PropertyFormat] = {}
    for version in schema.versions():
        for operation in schema.operations(version):
            for parameter in operation.parameters.values():
                for form in structured(parameter):
                    key = (operation.path, owner_of(operation.path), parameter.name, id(form))
                    found[key] = form
    return [(path, owner, name, form) for (path, owner, name, _), form in found.items()]


def class_of(path: str, owner: str, name: str) -> type[OptionValue] | None:
    mapped = {"dir": "DirMapping", "pci": "PciMapping", "usb": "UsbMapping"}
    kind = path.removeprefix("/cluster/mapping/").split("/")[0]
    if name == "map" and kind in mapped:
        return getattr(options, mapped[kind])  # type: ignore[no-any-return]  # by its name
    return options.find(owner, name)


FORMATTED: dict[str, list[str]] = {
    "mac-addr": ["BC:24:11:00:00:01", "02:aa:bb:cc:dd:ee"],
    "ip": ["10.0.0.1", "fd00::1"],
    "ipv4": ["10.0.0.1"],
    "ipv6": ["fd00::1"],
    "CIDR": ["10.0.0.0/24", "fd00::/64"],
    "CIDRv4": ["10.0.0.1/24"],
    "CIDRv6": ["fd00::1/64"],
    "FullRangeCIDR": ["0.0.0.0/0"],
    "pve-ipv4-config": ["dhcp", "manual", "10.0.0.1/8"],
    "pve-ipv6-config": ["auto", "dhcp", "fd00::1/64"],
}


def plain_text(key: Key) -> st.SearchStrategy[str]:
    if key.format is not None:
        return st.sampled_from(FORMATTED[key.format])
    if key.pattern is not None:
        texts = st.from_regex(key.pattern, fullmatch=True)
    else:
        letters = st.sampled_from("abcXYZ019:/.-_=+@")
        texts = st.text(letters, min_size=key.min_length or 1, max_size=key.max_length or 12)
    return texts.map(str.strip).filter(lambda text: fits(key, text))


def fits(key: Key, value: Any) -> bool:
    try:
        key.read(value)
    except ValueError:
        return False
    return bool(value)


def text_of(key: Key) -> st.SearchStrategy[str]:
    """What PVE might show for a key, in its canonical form."""
    low = int(key.minimum or 0)
    high = int(key.maximum) if key.maximum is not None else low + 5000
    if key.enum:
        return st.sampled_from(key.enum)
    if key.kind == "b":
        return st.sampled_from(["0", "1"])
    if key.kind == "i":
        return st.integers(low, high).map(str)
    if key.kind == "f":
        return st.one_of(st.integers(low, high).map(str), st.sampled_from(["0.5", "2.25"])).filter(
            lambda text: fits(key, text)
        )
    if key.kind == "z":
        return st.from_regex(r"[1-9]\d{0,3}(\.5)?[KMGT]?", fullmatch=True).filter(str.isascii)
    return plain_text(key)


@st.composite
def texts(draw: st.DrawFn, cls: type[OptionValue]) -> dict[str, str]:
    """Keys of an option with their texts: required ones always."""
    found: dict[str, str] = {}
    for key in cls.__keys__:
        if key.required or draw(st.booleans()):
            found[key.name] = draw(text_of(key))
    for key in cls.__keys__:
        if key.requires and key.requires not in found:
            found.pop(key.name, None)
    if draw(st.booleans()):
        found["x-unknown"] = draw(st.sampled_from(["1", "a=b", "some text"]))
    return found


@each_class
@given(data=st.data())
@SETTINGS
def test_a_value_survives_its_text(cls: type[OptionValue], data: st.DataObject) -> None:
    given_texts = data.draw(texts(cls))
    value = cls.parse(",".join(f"{key}={text}" for key, text in given_texts.items()))
    again = cls.parse(str(value))
    assert again == value
    assert hash(again) == hash(value)
    assert str(again) == format(value)
    assert cls.read(str(value)) == value
    assert cls.read(value.to_dict()) == value
    python = {key.python: getattr(value, key.python) for key in cls.__keys__}
    make: Any = cls
    assert make(**python, extra=value.extra) == value


def spelled(
    draw: st.DrawFn, values: Mapping[str, str], form: PropertyFormat
) -> tuple[list[str], dict[str, str]]:
    """Write keys in one of the ways PVE accepts."""
    left = dict(values)
    parts: list[str] = []
    for name, facts in form.keys.items():
        if facts.key_alias and left.get(facts.key_alias) == name and facts.alias in left:
            parts.append(f"{name}={left.pop(facts.alias)}")
            del left[facts.key_alias]
        elif facts.alias in left and not facts.key_alias and draw(st.booleans()):
            parts.append(f"{name}={left.pop(facts.alias)}")
    for name, text in left.items():
        bare = name == form.default_key and "=" not in text and draw(st.booleans())
        parts.append(text if bare else f"{name}={text}")
    return draw(st.permutations(parts)), dict(values)


def meaning(text: str, form: PropertyFormat) -> dict[str, str]:
    """Read a property string by the facts alone."""
    found: dict[str, str] = {}
    for part in text.split(","):
        name, separator, value = part.partition("=")
        if not separator:
            assert form.default_key is not None
            name, value = form.default_key, part
        facts = form.keys.get(name)
        if facts is not None and facts.alias is not None:
            if facts.key_alias is not None:
                found[facts.key_alias] = name
            name = facts.alias
        found[name] = value
    return found


def test_every_format_of_every_version_means_the_same_after_a_round_trip() -> None:
    missing = [
        f"{path} {name}"
        for path, owner, name, _ in all_formats()
        if class_of(path, owner, name) is None
    ]
    assert missing == []


@pytest.mark.parametrize("owner", ["qemu", "lxc", ""])
@given(data=st.data())
@settings(SETTINGS, max_examples=150)
def test_a_text_means_the_same_after_a_round_trip(owner: str, data: st.DataObject) -> None:
    path, _, name, form = data.draw(
        st.sampled_from([f for f in all_formats_cached() if f[1] == owner])
    )
    cls = class_of(path, owner, name)
    assert cls is not None
    known = {key: text for key, text in data.draw(texts(cls)).items() if key in form.keys}
    parts, expected = data.draw(st.composite(spelled)(known, form))
    text = ",".join(parts)
    value = cls.read(text)
    assert not value.extra
    assert meaning(str(value), form) == expected if text else str(value) == ""


_formats: list[tuple[str, str, str, PropertyFormat]] = []


def all_formats_cached() -> list[tuple[str, str, str, PropertyFormat]]:
    if not _formats:
        _formats.extend(all_formats())
    return _formats


def recorded() -> Iterator[tuple[str, str, str, Any]]:
    """Yield where, owner, option and value of everything sent or answered about guests."""
    for path in sorted(RECORDINGS.rglob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            entry: dict[str, Any] = json.loads(line)
            where = f"{path.name}:{number}"
            found = schema.find(str(entry["method"]), str(entry["path"]).partition("?")[0])
            if found is None or entry.get("status") != 200:
                continue
            owner = owner_of(found[0].path)
            yield from ((where, owner, *pair) for pair in held(entry))


def held(entry: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield options and values that were sent or answered."""
    body: Any = entry.get("body")
    answered: object = cast("dict[str, object]", body).get("data") if type(body) is dict else None
    for values in (entry.get("params"), answered):
        if isinstance(values, dict):
            yield from cast("dict[str, Any]", values).items()
    if isinstance(answered, list):
        for row in cast("list[object]", answered):
            yield from pending(row)


def pending(row: object) -> Iterator[tuple[str, Any]]:
    """Yield what a row of a guest's pending changes holds."""
    if isinstance(row, dict):
        known = cast("dict[str, Any]", row)
        for state in ("value", "pending"):
            if "key" in known and state in known:
                yield str(known["key"]), known[state]


def test_every_recorded_property_string_round_trips_with_nothing_lost() -> None:
    seen: set[str] = set()
    problems: list[str] = []
    for where, owner, name, value in recorded():
        cls = options.find(owner, name) if owner else None
        if cls is None or not isinstance(value, str | int):
            continue
        read = cls.read(value)
        seen.add(cls.__name__)
        if read.extra:
            problems.append(f"{where} {name}={value}: {dict(read.extra)} is not understood")
        if value == " ":  # how a machine without boot devices is shown
            value = ""
        if sorted(str(read).split(",")) != sorted(
            canonical(part) for part in str(value).split(",")
        ):
            problems.append(f"{where} {name}={value} became {read}")
        if cls.read(str(read)) != read:
            problems.append(f"{where} {name}={value}: {read!r} does not survive")
    assert problems == []
    assert {"NetQemu", "ScsiQemu", "IdeQemu", "NetLxc", "RootfsLxc", "BootQemu"} <= seen


def canonical(part: str) -> str:
    """Say a part as our own writing does; the default key's name may be there or not."""
    for named in ("enabled=", "volume=", "file=", "order=", "model="):
        if part.startswith(named) and named != "order=":
            return part.removeprefix(named)
    return part


def successes() -> Iterator[tuple[str, schema.OperationFacts, dict[str, Any]]]:
    for path in sorted(RECORDINGS.rglob("*.jsonl")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            entry: dict[str, Any] = json.loads(line)
            found = schema.find(str(entry["method"]), str(entry["path"]).partition("?")[0])
            if found is not None and entry.get("status") == 200:
                yield f"{path.name}:{number}", found[0], entry


def options_sent(facts: schema.OperationFacts, entry: dict[str, Any]) -> Iterator[OptionValue]:
    sent: dict[str, Any] = entry.get("params") or {}
    for name, value in sent.items():
        parameter = facts.parameter(name)
        if parameter is not None and isinstance(parameter.format, PropertyFormat):
            cls = class_of(facts.path, owner_of(facts.path), parameter.name)
            assert cls is not None
            yield cls.read(value)


def options_answered(result: object) -> Iterator[OptionValue]:
    if isinstance(result, list):
        for entry in cast("list[object]", result):
            yield from options_answered(entry)
        return
    read: TypedOptions | None = getattr(result, "typed", None)
    for value in read.to_dict().values() if read is not None else ():
        if isinstance(value, OptionValue):
            yield value
        else:
            many = cast("dict[int, OptionValue] | list[OptionValue]", value)
            yield from many.values() if isinstance(many, dict) else many


def test_every_recorded_option_is_understood_wherever_it_stands() -> None:
    decoders = {operation.id: operation.decode for operation in generated_operations()}
    seen = 0
    for where, facts, entry in successes():
        found = list(options_sent(facts, entry))
        body: object = entry.get("body")
        if isinstance(body, dict) and not facts.starts_task:
            data = cast("dict[str, object]", body).get("data")
            found += options_answered(decoders[facts.id](data))
        for value in found:
            seen += 1
            assert not value.extra, f"{where}: {value!r}"
            assert type(value).read(str(value)) == value, where
    assert seen > 500


def generated_operations() -> Iterator[Operation[object]]:
    for module in iter_modules(operations.__path__):
        for value in vars(import_module(f"{operations.__name__}.{module.name}")).values():
            if isinstance(value, Operation):
                yield cast("Operation[object]", value)
