"""Load manifests from files, folders, standard input and texts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TextIO, cast

from pmpc_reconcile.diagnostics import Diagnostic, Severity, error
from pmpc_reconcile.manifests.document import read_document
from pmpc_reconcile.manifests.invalid import ManifestInvalid
from pmpc_reconcile.manifests.json_source import read_json
from pmpc_reconcile.manifests.manifest import Manifest
from pmpc_reconcile.manifests.tree import (
    Entry,
    MappingNode,
    Node,
    Position,
    ScalarNode,
    SequenceNode,
    Source,
    SourceInvalid,
)
from pmpc_reconcile.manifests.yaml_source import read_yaml

SUFFIXES: Final = (".yaml", ".yml", ".json")
_LARGEST: Final = 32 * 1024 * 1024


def load(
    paths: str | Path | Iterable[str | Path],
    *,
    version: str | None = None,
    stdin: TextIO | None = None,
) -> tuple[Manifest, ...]:
    """Load manifests.

    Args:
        paths: Files, folders (read with their subfolders, in order of path), `-` for standard
            input.
        version: PVE version whose options are allowed, such as `9.2`; None allows every option any
            known version has.
        stdin: What `-` reads; `sys.stdin` by default.

    Returns:
        The manifests in order of their sources and places in them.

    Raises:
        ManifestInvalid: Anything is wrong with any of them; every finding is in it.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    findings: list[Diagnostic] = []
    sources: list[Source] = []
    for path in given:
        for outcome in _sources(path, stdin or sys.stdin):
            if isinstance(outcome, Diagnostic):
                findings.append(outcome)
            elif outcome.name not in {source.name for source in sources}:
                sources.append(outcome)
    return _read_all(sources, findings, version)


def load_text(
    text: str, *, name: str = "<text>", version: str | None = None
) -> tuple[Manifest, ...]:
    """Load manifests from a text.

    Raises:
        ManifestInvalid: Anything is wrong with any of them.
    """
    return _read_all([Source.of(name, text)], [], version)


def manifest_from_document(document: Mapping[str, Any], version: str | None = None) -> Manifest:
    """Read a manifest from plain values, such as `Manifest.to_document` returns.

    Raises:
        ManifestInvalid: It is not valid.
    """
    source = Source.of("<document>", "")
    manifest, findings = read_document(source, _node(document), version)
    if manifest is None:
        raise ManifestInvalid(findings)
    return manifest


def _read_all(
    sources: Iterable[Source], findings: list[Diagnostic], version: str | None
) -> tuple[Manifest, ...]:
    manifests: list[Manifest] = []
    for source in sources:
        try:
            documents = list(_documents(source))
        except SourceInvalid as failure:
            findings.extend(failure.diagnostics)
            continue
        for node in documents:
            manifest, wrong = read_document(source, node, version)
            findings.extend(wrong)
            if manifest is not None:
                manifests.append(manifest)
    findings.extend(_duplicates(manifests))
    if not manifests and not findings:
        findings.append(
            error("there are no manifests", hint="a manifest needs apiVersion and kind")
        )
    if any(finding.is_error for finding in findings):
        raise ManifestInvalid(findings)
    return tuple(manifests)


def _documents(source: Source) -> Iterator[Node]:
    """Yield the documents of a source; lists and `kind: List` are several."""
    for node in _trees(source):
        if isinstance(node, SequenceNode):
            yield from node.items
        elif isinstance(node, ScalarNode) and node.value is None:
            continue
        elif (items := _list_items(node)) is not None:
            yield from items
        else:
            yield node


def _trees(source: Source) -> tuple[Node, ...]:
    if source.name.endswith(".json"):
        return read_json(source)
    if not source.name.endswith(SUFFIXES) and source.text.lstrip()[:1] in ("{", "["):
        try:
            return read_json(source)
        except SourceInvalid:
            return read_yaml(source)
    return read_yaml(source)


def _list_items(node: Node) -> tuple[Node, ...] | None:
    if not isinstance(node, MappingNode) or "items" not in node.entries:
        return None
    named = node.entries.get("kind")
    items = node.entries["items"].node
    if named is None or not isinstance(named.node, ScalarNode) or named.node.value != "List":
        return None
    return items.items if isinstance(items, SequenceNode) else None


def _duplicates(manifests: Iterable[Manifest]) -> Iterator[Diagnostic]:
    """Find objects declared twice, and vmids asked for twice."""
    seen: dict[object, Manifest] = {}
    for manifest in manifests:
        first = seen.setdefault(manifest.address, manifest)
        if first is not manifest:
            yield manifest.diagnose(
                f"duplicate object {manifest.address}", hint=f"it is first at {first.position}"
            )
            continue
        if manifest.vmid is None:
            continue
        first = seen.setdefault(manifest.vmid, manifest)
        if first is not manifest:
            yield manifest.diagnose(
                f"vmid {manifest.vmid} is also that of {first.address}",
                "spec.vmid",
                hint=f"it is first at {first.position_of('spec.vmid')}",
            )


def _sources(path: str | Path, stdin: TextIO) -> Iterator[Source | Diagnostic]:
    if str(path) == "-":
        yield Source.of("<stdin>", stdin.read())
        return
    path = Path(path)
    if not path.is_dir():
        yield _file(path)
        return
    found = sorted(
        file
        for file in path.rglob("*")
        if file.suffix in SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        yield _about(path, "there are no manifests in this folder", "it has no *.yaml or *.json")
    for file in found:
        yield _file(file)


def _file(path: Path) -> Source | Diagnostic:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return _about(path, "there is no such file or folder")
    except OSError as failure:
        return _about(path, f"cannot read it: {failure.strerror}")
    if len(data) > _LARGEST:
        return _about(path, f"larger than {_LARGEST // 1024**2} MiB")
    try:
        return Source.of(str(path), data.decode("utf-8-sig"))
    except UnicodeDecodeError as failure:
        before = data[: failure.start]
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n")
        place = Position(str(path), line, column)
        return Source.of(str(path), "").error(place, "this is not UTF-8 text")


def _about(path: Path, message: str, hint: str | None = None) -> Diagnostic:
    return Diagnostic(severity=Severity.ERROR, message=message, hint=hint, file=str(path))


_NOWHERE: Final = Position("<document>", 0, 0)


def _node(value: Any) -> Node:
    if isinstance(value, Mapping):
        entries = cast("Mapping[str, Any]", value)
        return MappingNode(
            {str(key): Entry(_NOWHERE, _node(entry)) for key, entry in entries.items()}, _NOWHERE
        )
    if isinstance(value, list | tuple):
        return SequenceNode(tuple(_node(entry) for entry in cast("list[Any]", value)), _NOWHERE)
    raw = str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)
    return ScalarNode(value, raw, _NOWHERE)
