"""Read one document of a source into a manifest, or into everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

import attrs

from pmpc_reconcile.diagnostics import Diagnostic, did_you_mean
from pmpc_reconcile.identity import strip_marker
from pmpc_reconcile.kinds import Kind, kinds
from pmpc_reconcile.manifests import findings
from pmpc_reconcile.manifests.config import ConfigReader
from pmpc_reconcile.manifests.declared import Problem
from pmpc_reconcile.manifests.formats import FORMATS
from pmpc_reconcile.manifests.manifest import Manifest
from pmpc_reconcile.manifests.resolutions import PathProblem, check_answers, check_paths
from pmpc_reconcile.manifests.rules import (
    DOCUMENT,
    document_validator,
    spec_rules,
    spec_validator,
)
from pmpc_reconcile.manifests.settle import settle
from pmpc_reconcile.manifests.tree import MappingNode, Node, Path, Position, Source
from pmpc_reconcile.manifests.validator import violations
from pmpc_reconcile.manifests.walk import place_of
from pmpc_reconcile.values.windows import Window

API_VERSION: Final = "pmpc/v1"


def read_document(
    source: Source, node: Node, version: str | None
) -> tuple[Manifest | None, list[Diagnostic]]:
    """Read one document.

    Args:
        source: Where it stands.
        node: Its tree.
        version: PVE version whose options are allowed; None for all known.

    Returns:
        The manifest, or None with at least one finding.
    """
    if not isinstance(node, MappingNode):
        hint = "it needs apiVersion, kind, metadata and spec"
        return None, [source.error(node.place, "a manifest must be a mapping", hint=hint)]
    reader = _Reader(source, node, version)
    manifest = reader.read()
    found = sorted(reader.found, key=lambda each: (each.line or 0, each.column or 0))
    return (None if found else manifest), found


@attrs.define
class _Reader:
    """The work on one document: collects findings on the way."""

    source: Source
    node: MappingNode
    version: str | None
    found: list[Diagnostic] = attrs.field(factory=list[Diagnostic])
    address: str | None = None

    def read(self) -> Manifest | None:
        document = settle(self.node, {"type": "dict", "schema": DOCUMENT})
        kind_of = self._kind(document)
        if kind_of is None:
            return None
        name = _mapping(document.get("metadata")).get("name")
        self.address = f"{kind_of.name}/{name}" if isinstance(name, str) else None
        document.setdefault("spec", {})
        self._validate(document_validator(), document, self.node, (), DOCUMENT, "field")
        spec_entry = self.node.entries.get("spec")
        if spec_entry is None or not isinstance(spec_entry.node, MappingNode):
            spec_node = MappingNode({}, self.node.place)
        else:
            spec_node = spec_entry.node
        spec = self._spec(kind_of, spec_node)
        if self.found or not isinstance(name, str):
            return None
        manifest = self._manifest(kind_of, name, document["metadata"], spec)
        self._wrong_answers(check_answers(manifest, manifest.resolutions))
        return manifest

    def _kind(self, document: Mapping[str, Any]) -> Kind | None:
        """Check apiVersion and kind first: nothing else can be judged without them."""
        version, name = document.get("apiVersion"), document.get("kind")
        if isinstance(version, str) and version != API_VERSION:
            self._error(("apiVersion",), f"unknown apiVersion {version!r}", f"write {API_VERSION}")
        known = {entry.name: entry for entry in kinds()}
        if not isinstance(name, str) or name in known:
            if not isinstance(name, str):
                self._validate(document_validator(), document, self.node, (), DOCUMENT, "field")
            return known.get(name) if isinstance(name, str) else None
        hint = did_you_mean(name, known) or f"known kinds are {', '.join(known)}"
        self._error(("kind",), f"unknown kind {name!r}", hint)
        return None

    def _spec(self, kind_of: Kind, node: MappingNode) -> dict[str, Any]:
        rules = spec_rules(kind_of)
        spec: dict[str, Any] = settle(node, {"type": "dict", "schema": rules})
        self._validate(spec_validator(kind_of), spec, node, ("spec",), rules, "field")
        if not kind_of.flat and isinstance(spec.get("config", {}), dict):
            config = node.entries.get("config")
            reader = ConfigReader(kind_of, self.version)
            inner = config.node if config is not None else MappingNode({}, node.place)
            if isinstance(inner, MappingNode):
                spec["config"] = reader.read(inner)
                self._report(reader.problems)
        self._restart(spec.get("restart"))
        self._resolutions(kind_of, spec.get("conflicts"))
        self._own_name(kind_of, spec)
        self._marker(spec)
        return spec

    def _restart(self, restart: Any) -> None:
        declared = _mapping(restart)
        if declared.get("policy") == "window" and not declared.get("window"):
            self._error(
                ("spec", "restart", "policy"),
                "the policy 'window' needs spec.restart.window",
                "write window: 'sun 02:00'",
            )
        if isinstance(window := declared.get("window"), str):
            try:
                Window.parse(window)
            except ValueError as wrong:
                self._error(("spec", "restart", "window"), str(wrong), "write window: 'sun 02:00'")

    def _resolutions(self, kind_of: Kind, declared: Any) -> None:
        self._wrong_answers(check_paths(kind_of, self.version, _mapping(declared)))

    def _wrong_answers(self, problems: Iterable[PathProblem]) -> None:
        """Report answers that do nothing; those in records were given when they did something."""
        for wrong in problems if self.node.place.line else ():
            path = ("spec", "conflicts", wrong.path)
            place = place_of(self.node, path, key=True)
            self._report([Problem(place, wrong.message, wrong.hint)])

    def _marker(self, spec: Mapping[str, Any]) -> None:
        """Refuse notes that hold our own marker, as copied ones do: it is written by itself."""
        config = _mapping(spec.get("config"))
        for path, text in (
            (("spec", "config", "description"), config.get("description")),
            (("spec", "comment"), spec.get("comment")),
        ):
            if isinstance(text, str) and strip_marker(text) != text.rstrip("\r\n"):
                self._error(path, f"{path[-1]} holds pmpc's own line", "leave `managed-by: …` out")

    def _own_name(self, kind_of: Kind, spec: dict[str, Any]) -> None:
        """Make metadata.name the guest's name where none is declared."""
        option = kind_of.name_option
        entry = self.node.entries.get("metadata")
        if option is None or entry is None or option in spec.get("config", {}):
            return
        name = _mapping(settle(entry.node, DOCUMENT["metadata"])).get("name")
        if not isinstance(name, str) or not isinstance(spec.get("config"), dict):
            return
        if FORMATS["dns-name"][0](name):
            spec["config"][option] = name
        elif not self.found:
            self._error(
                ("metadata", "name"),
                f"metadata.name {name!r} is not a DNS name and so cannot name a guest",
                f"use letters, digits, '-' and '.', or declare spec.config.{option}",
            )

    def _manifest(
        self, kind_of: Kind, name: str, metadata: Mapping[str, Any], spec: Mapping[str, Any]
    ) -> Manifest:
        place = place_of(self.node, ("metadata", "name"))
        return Manifest(
            api_version=API_VERSION,
            kind=kind_of.name,
            name=name,
            labels=metadata.get("labels", {}),
            annotations=metadata.get("annotations", {}),
            spec=spec,
            position=place if place.line else None,
            node=self.node if place.line else None,
            text=self.source if place.line else None,
        )

    def _validate(
        self,
        validator: Any,
        value: Any,
        node: MappingNode,
        prefix: Path,
        rules: Mapping[str, Any],
        noun: str,
    ) -> None:
        def place(path: Path, key: bool) -> Position:
            return place_of(node, path, key=key)

        def known(path: Path) -> Iterable[str]:
            return names_at(rules, path)

        self._report(findings.problems(violations(validator, value), place, known, noun, prefix))

    def _report(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            diagnostic = self.source.error(
                problem.place, problem.message, hint=problem.hint, address=self.address
            )
            if diagnostic not in self.found:
                self.found.append(diagnostic)

    def _error(self, path: Path, message: str, hint: str | None = None) -> None:
        self._report([Problem(place_of(self.node, path), message, hint)])


def names_at(rules: Mapping[str, Any], path: Path) -> Iterator[str]:
    """List the names that Cerberus rules allow at a path."""
    for step in path:
        inner: Mapping[str, Any] = rules if isinstance(step, int) else rules.get(str(step), {})
        rules = inner.get("schema", {})
    yield from rules


def _mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping, or an empty one for anything else."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
