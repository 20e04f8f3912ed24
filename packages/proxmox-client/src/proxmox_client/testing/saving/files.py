"""Clusters in YAML files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from proxmox_client.testing.saving.document import Unfinished, from_document, to_document
from proxmox_client.testing.saving.plain import Tagged, Unsaveable
from proxmox_client.testing.saving.wirevalues import fields, is_dict, is_list

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_HEAD = "# A simulated Proxmox VE cluster: python -m proxmox_client.testing --load THIS-FILE\n"
# The parser written in C is many times as fast; not every build of PyYAML has it.
_Dumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _StateDumper(_Dumper):  # type: ignore[misc]
    def ignore_aliases(self, data: object) -> bool:
        return True


class _StateLoader(_Loader):  # type: ignore[misc]
    """Makes tagged values; anything else is as safe as YAML without tags."""


def _represent(dumper: Any, tagged: Tagged) -> Any:
    tag = f"!{tagged.tag}"
    if is_dict(tagged.value):
        return dumper.represent_mapping(tag, tagged.value)
    if is_list(tagged.value):
        return dumper.represent_sequence(tag, tagged.value)
    return dumper.represent_scalar(tag, str(tagged.value))


def _construct(loader: Any, tag: str, node: yaml.Node) -> Tagged:
    if isinstance(node, yaml.MappingNode):
        return Tagged(tag, loader.construct_mapping(node, deep=True))
    if isinstance(node, yaml.SequenceNode):
        return Tagged(tag, loader.construct_sequence(node, deep=True))
    return Tagged(tag, loader.construct_scalar(node))


_StateDumper.add_representer(Tagged, _represent)
_StateLoader.add_multi_constructor("!", _construct)


def save(cluster: SimulatedCluster, path: str | Path, *, unfinished: Unfinished = "refuse") -> None:
    """Write a cluster to a YAML file, readable by its owner only: it holds secrets of tokens.

    Raises:
        Unsaveable: Tasks run and ``unfinished`` is ``refuse``, or a fault holds a function.
        OSError: The file cannot be written.
    """
    text = _HEAD + yaml.dump(
        to_document(cluster, unfinished),
        Dumper=_StateDumper,
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )
    target = Path(path)
    target.touch(mode=0o600)
    target.write_text(text, encoding="utf-8")


def load(path: str | Path) -> SimulatedCluster:
    """Read a cluster from a YAML file.

    Raises:
        Unsaveable: It is not a file that `save` wrote, or of a later form.
        OSError: The file cannot be read.
    """
    try:
        document = yaml.load(Path(path).read_text(encoding="utf-8"), Loader=_StateLoader)  # noqa: S506
    except yaml.YAMLError as error:
        raise Unsaveable(f"cannot load {path}: {error}") from None
    return from_document(fields(document))
