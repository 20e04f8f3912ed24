"""A manifest that was written from something, and manifests as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import yaml

from pmpc_reconcile.manifests import API_VERSION

_NO_LINES: Sequence[str] = ()


@attrs.frozen
class Written:
    """One object's manifest.

    Attributes:
        key: Under which it would be recorded: `tank`, `node/pve1`, a vmid.
        document: The manifest.
    """

    key: str
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Return the object's name among the manifests."""
        return str(self.document["metadata"]["name"])

    @property
    def address(self) -> str:
        """Return the address of the object."""
        return f"{self.document['kind']}/{self.name}"

    def named(self, name: str) -> Written:
        """Return it under another name."""
        return attrs.evolve(self, document={**self.document, "metadata": {"name": name}})

    def with_spec(self, more: Mapping[str, Any]) -> Written:
        """Return it with more in its spec, which comes first there."""
        spec = {**more, **self.document["spec"]}
        return attrs.evolve(self, document={**self.document, "spec": spec})


def written(kind_name: str, name: str, key: str, spec: Mapping[str, Any]) -> Written:
    """Return the manifest of an object.

    Args:
        kind_name: Its kind.
        name: Its name among the manifests.
        key: Under which it would be recorded.
        spec: What is declared of it.
    """
    document = {
        "apiVersion": API_VERSION,
        "kind": kind_name,
        "metadata": {"name": name},
        "spec": dict(spec),
    }
    return Written(key, document)


def manifest_text(found: Iterable[Written], comments: Sequence[str] = _NO_LINES) -> str:
    """Return manifests as YAML, one document each.

    Args:
        found: The manifests.
        comments: Lines that stand before the first as comments.
    """
    documents = [dict(each.document) for each in found]
    head = "".join(f"# {line}\n" for line in comments)
    return head + yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=100)
