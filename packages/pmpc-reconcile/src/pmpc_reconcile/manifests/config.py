"""Read and check `spec.config`: the options of a guest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from pmpc_reconcile.diagnostics import did_you_mean
from pmpc_reconcile.kinds import Kind, Option, Shape, options_of
from pmpc_reconcile.manifests import findings
from pmpc_reconcile.manifests.declared import Problem, read_declared
from pmpc_reconcile.manifests.manifest import SECRET_KEY
from pmpc_reconcile.manifests.rules import option_errors
from pmpc_reconcile.manifests.tree import Entry, MappingNode, Path, Position, ScalarNode
from pmpc_reconcile.manifests.walk import place_of
from pmpc_reconcile.values import Secret, SecretMark


@attrs.define
class ConfigReader:
    """Reads the options of one document.

    Attributes:
        kind: The kind of guest.
        version: PVE version whose options are allowed; None for all known.
        problems: What is wrong.
    """

    kind: Kind
    version: str | None
    problems: list[Problem] = attrs.field(factory=list[Problem])
    _places: dict[Path, Position] = attrs.field(factory=dict[Path, Position])

    def read(self, node: MappingNode) -> dict[str, Any]:
        """Return the options in canonical form; problems are collected."""
        options = options_of(self.kind, self.version)
        config: dict[str, Any] = {}
        for name, entry in node.entries.items():
            option = options.find(name)
            if option is None:
                self.problems.append(self._unknown(name, entry))
                continue
            mark = _secret_mark(option, entry)
            if mark is not None and not entry.node.place.line:
                config[name] = mark
                continue
            if mark is not None:
                self.problems.append(_secret_reference(name, entry))
                continue
            found = read_declared(name, option, entry)
            self.problems.extend(found.problems)
            self._places.update(found.places)
            if found.value is not None:
                config[name] = found.value
                self.problems.extend(_contradictions(name, option, entry, found.value))
                self.problems.extend(self._check(node, name, option, found.value))
                if option.shape is Shape.SECRET:
                    config[name] = Secret(str(found.value))
        return config

    def _check(self, node: MappingNode, name: str, option: Option, value: Any) -> Iterator[Problem]:
        options = options_of(self.kind, self.version)

        def place(path: Path, key: bool) -> Position:
            return self._places.get(path[:2]) or place_of(node, path, key=key)

        def known(path: Path) -> Iterable[str]:
            extra = ("storage", "cloudinit") if option.shape is Shape.DISK else ()
            return (*option.keys, *option.aliases, *extra)

        errors = option_errors(options, option, value)
        return findings.problems(errors, place, known, "option", ("spec", "config"), name)

    def _unknown(self, name: str, entry: Entry) -> Problem:
        """Say why a name is no option here."""
        stem = name.rstrip("0123456789")
        reason = self.kind.reserved.get(name) or self.kind.reserved.get(stem)
        if reason is not None:
            return Problem(
                entry.key_place, f"option {name!r} does not belong in spec.config", reason
            )
        allowed = options_of(self.kind, self.version)
        family = allowed.options.get(f"{stem}[n]")
        if family is not None and family.slots is not None and stem != name:
            return Problem(
                entry.key_place,
                f"unknown option {name!r} in spec.config",
                f"there are {stem}0 to {stem}{family.slots - 1}",
            )
        if self.version is not None and options_of(self.kind).find(name) is not None:
            return Problem(entry.key_place, f"option {name!r} is not known to PVE {self.version}")
        return Problem(
            entry.key_place,
            f"unknown option {name!r} in spec.config",
            did_you_mean(name, allowed.names()),
        )


def _secret_reference(name: str, entry: Entry) -> Problem:
    """Refuse what only our own records may say: a user's manifest has the secret itself."""
    return Problem(
        entry.node.place,
        f"{name} must be the value itself: references to secrets are not supported yet",
        "write the value, or leave the option out and set it by hand",
    )


def _secret_mark(option: Option, entry: Entry) -> SecretMark | None:
    """Read what `Manifest.to_document` left of a secret; records have no places."""
    node = entry.node
    if option.shape is not Shape.SECRET or not isinstance(node, MappingNode):
        return None
    if tuple(node.entries) != (SECRET_KEY,):
        return None
    inner = node.entries[SECRET_KEY].node
    text = inner.value if isinstance(inner, ScalarNode) else None
    return SecretMark(None if text is None else str(text))


def _contradictions(name: str, option: Option, entry: Entry, value: Any) -> Iterator[Problem]:
    if option.shape is Shape.DISK and "volume" in value and "storage" in value:
        yield Problem(
            entry.node.place,
            f"{name} names both a volume and a storage",
            "a storage and a size make a new volume; a volume is one that exists",
        )
