"""Gather the property-string formats of all operations and versions into classes of options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from proxmox_client.options.formats import FORMATS
from proxmox_client.options.keys import Key as Accepted
from tools.apigen import corrections
from tools.apigen.merge import Facts, Key, Merged
from tools.apigen.naming import attribute, camel

GUESTS = ("qemu", "lxc")
_OWN = {"extra", "parse", "read", "to_dict", "updated", "self"}
_BOUNDS = {
    "enum": "enum",
    "minimum": "minimum",
    "maximum": "maximum",
    "minLength": "min_length",
    "maxLength": "max_length",
    "requires": "requires",
}
_KINDS = {"boolean": "b", "integer": "i", "number": "f"}


@attrs.define
class KeyFacts:
    """What a key accepts: the newest word, with the enum words of all versions."""

    facts: Facts
    first: int
    last: int

    def add(self, facts: Facts, first: int, last: int) -> None:
        """Take in what another use or version says."""
        words = [*self.facts.get("enum", []), *facts.get("enum", [])]
        newest = facts if last > self.last else self.facts
        joined = {**newest, "enum": list(dict.fromkeys(words))} if words else dict(newest)
        if last == self.last and (facts.get("optional") or self.facts.get("optional")):
            joined["optional"] = 1
        self.facts = joined
        self.first, self.last = min(self.first, first), max(self.last, last)


@attrs.define
class OptionClass:
    """A class of options in the making.

    Attributes:
        name: Of the class.
        owners: `qemu`, `lxc`, or empty for options that belong to no guest.
        names: The options it stands for, families with `[n]`.
        keys: By PVE's name, aliases included.
        paths: Of the operations that take it.
        lists: Keys whose text holds several entries.
        bare: PVE leaves out the default key's name when it writes.
        first: Number of the first version that has it.
    """

    name: str
    owners: set[str] = attrs.field(factory=set[str])
    names: set[str] = attrs.field(factory=set[str])
    keys: dict[str, KeyFacts] = attrs.field(factory=dict[str, KeyFacts])
    paths: set[str] = attrs.field(factory=set[str])
    lists: set[str] = attrs.field(factory=set[str])
    bare: bool = True
    first: int = 99

    @property
    def owner(self) -> str:
        """The one guest it belongs to, or empty."""
        return min(self.owners) if len(self.owners) == 1 else ""

    @property
    def module(self) -> str:
        """Where the class stands: the guest's module or that of the API's area."""
        return self.owner or min(self.paths).split("/")[1].replace("-", "_")

    @property
    def default_key(self) -> str | None:
        """The key whose name may be left out."""
        return next((n for n, key in self.keys.items() if key.facts.get("default_key")), None)

    @property
    def aliases(self) -> dict[str, str]:
        """Other names of keys."""
        found = {n: k.facts for n, k in sorted(self.keys.items()) if "alias" in k.facts}
        return {n: str(f["alias"]) for n, f in found.items() if "keyAlias" not in f}

    @property
    def named(self) -> tuple[str, str, list[str]] | None:
        """Names which are the value of one key and carry the value of another."""
        found = {n: k.facts for n, k in sorted(self.keys.items()) if "keyAlias" in k.facts}
        for facts in found.values():
            return facts["keyAlias"], facts["alias"], list(found)
        return None

    def accepted(self) -> list[Accepted]:
        """List the real keys: the default key first, required ones next, then by name."""
        real = {n: k.facts for n, k in self.keys.items() if "alias" not in k.facts}
        default = self.default_key
        order = sorted(real, key=lambda n: (n != default, bool(real[n].get("optional")), n))
        return [self._accepted(name, real[name]) for name in order]

    def _accepted(self, name: str, facts: Facts) -> Accepted:
        bounds: dict[str, Any] = {
            ours: facts[k] for k, ours in _BOUNDS.items() if facts.get(k) is not None
        }
        if "enum" in bounds:
            bounds["enum"] = tuple(str(word) for word in bounds["enum"])
        if pattern := _pattern(facts.get("pattern")):
            bounds["pattern"] = pattern
        if facts.get("format") in FORMATS:
            bounds["format"] = facts["format"]
        python = attribute(name)
        python = f"{python}_" if python in _OWN else python
        return Accepted(
            name,
            self._kind(name, facts),
            renamed=None if python == name else python,
            required=not facts.get("optional"),
            **bounds,
        )

    def _kind(self, name: str, facts: Facts) -> str:
        if name in self.lists or str(facts.get("format", "")).endswith("-list"):
            return "l"
        if facts.get("format") == "disk-size":
            return "z"
        return _KINDS.get(str(facts.get("type")), "s")


def _pattern(perl: str | None) -> str | None:
    """Translate a Perl pattern; None where Python has no such form."""
    if perl is None:
        return None
    text = re.sub(r"\(\?\^([a-z]*):", lambda m: f"(?{m[1]}:", perl).replace(r"\z", r"\Z")
    text = re.sub(r"\{,(\d+)\}", r"{0,\1}", text)
    try:
        re.compile(text)
    except re.error:
        return None
    return text


@attrs.define
class Catalogue:
    """All classes of options, and which parameter or field has which."""

    formats: dict[str, Facts]
    names: list[dict[str, Any]]
    classes: dict[str, OptionClass] = attrs.field(factory=dict[str, OptionClass])

    def find(self, path: str, name: str, facts: Facts) -> str | None:
        """Name the class of a parameter's or field's value; None if it is not structured."""
        return self._name(path, name) if self._keys(facts) is not None else None

    def parsed(self, path: str, name: str) -> str | None:
        """Name the class of an option that is answered as an object at a path; None if none."""
        named = self._name(path, name)
        known = self.classes.get(named)
        near = {path, path.rpartition("/")[0]}
        return named if known and name in known.names and known.paths & near else None

    def _keys(self, facts: Facts) -> Facts | None:
        shape: Facts | str | None = facts.get("format")
        return shape if isinstance(shape, dict) else self.formats.get(str(shape))

    def _name(self, path: str, name: str) -> str:
        plain = name.removesuffix("[n]")
        for entry in self.names:
            if plain in entry["options"] and path.startswith(entry.get("under", "")):
                return str(entry["name"])
        return camel(plain) + _owner(path).capitalize()

    def add(self, path: str, name: str, facts: Facts, span: tuple[int, int]) -> None:
        """Take in a parameter or field, its entries and alternatives included."""
        keys = self._keys(facts)
        if keys is not None:
            named = self._name(path, name)
            known = self.classes.setdefault(named, OptionClass(named))
            known.owners.add(_owner(path))
            known.names.add(name)
            known.paths.add(path)
            known.first = min(known.first, span[0])
            for key, accepted in keys.items():
                if key in known.keys:
                    known.keys[key].add(accepted, *span)
                else:
                    known.keys[key] = KeyFacts(accepted, *span)
        for inner in (facts.get("items"), *facts.get("oneOf", [])):
            if inner:
                self.add(path, name, inner, span)


def _owner(path: str) -> str:
    return next((guest for guest in GUESTS if path.startswith(f"/nodes/{{node}}/{guest}")), "")


def gather(
    operations: dict[Key, Merged], formats: dict[str, Facts], folder: Path = corrections.FOLDER
) -> Catalogue:
    """Gather all classes.

    Raises:
        CorrectionError: An entry of `options.toml` names something unknown or changes nothing.
    """
    entries = corrections.load("options", folder)
    catalogue = Catalogue(formats, [entry for entry in entries if "name" in entry])
    for operation in operations.values():
        for name, spans in operation.parameters.items():
            for span in spans:
                catalogue.add(operation.path, name, span.facts, (span.first, span.last))
    known = set(catalogue.classes)
    for operation in operations.values():
        for name, facts in _fields(operation.returns):
            named = catalogue.find(operation.path, name, facts)
            if named in known:
                catalogue.classes[str(named)].names.add(name)
            else:
                catalogue.add(operation.path, name, facts, (operation.first, operation.last))
    for entry in entries:
        _check(catalogue, entry)
        if "class" in entry:
            catalogue.classes[entry["class"]].bare &= entry.get("bare", True)
        for key in entry.get("lists", []):
            catalogue.classes[entry["class"]].lists.add(key)
    return catalogue


def _check(catalogue: Catalogue, entry: dict[str, Any]) -> None:
    if "name" in entry:
        known = catalogue.classes.get(entry["name"])
        names = {name.removesuffix("[n]") for name in known.names} if known else set[str]()
        if not set(entry["options"]) <= names:
            raise corrections.CorrectionError(f"options.toml: nothing is called so by {entry}")
        return
    known = catalogue.classes.get(entry["class"])
    if known is None or (not entry.get("bare", True) and not known.default_key):
        raise corrections.CorrectionError(f"options.toml: nothing is called so by {entry}")
    for key in entry.get("lists", []):
        if key not in known.keys or key in known.lists:
            raise corrections.CorrectionError(f"options.toml: no key {key} for {entry}")


def _fields(shape: Facts) -> Iterator[tuple[str, Facts]]:
    """Yield the fields of an answer, those of entries and parts included."""
    properties: dict[str, Facts] = shape.get("properties") or {}
    for name, facts in properties.items():
        yield name, facts
        yield name, facts.get("items") or {}
        yield from _fields(facts)
    if shape.get("items"):
        yield from _fields(shape["items"])
