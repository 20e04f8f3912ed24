"""The value that defines a kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Kind:
    """Everything the engine needs to know about a kind of object, as data.

    Attributes:
        name: As written in manifests: `VirtualMachine`.
        guest: `qemu` or `lxc` for guests, else None.
        order: Place among the kinds when several are created; deletion goes the other way.
        collection_path: Where an object is created with POST, below `/api2/json`.
        object_path: The object itself; DELETE removes it.
        config_path: Where its options are read and written; None where `object_path` does that.
        config_method: Method whose parameters are the options.
        name_option: The option that carries `metadata.name`; None where the name is the key itself.
        identity: The parameter that identifies an object for PVE: `vmid`, `poolid`.
        control: Parameters of the write call that are no options.
        reserved: Options that are not written under `spec.config`, with what to write instead.
        create_only: Options only a creation accepts, or that are never read back.
        spec: Cerberus rules of `spec` apart from `config`.
        flat: Options stand directly in `spec` (there is no `config`).
        sections: What paths of fields begin with, where that is not `config`, `state` or `pool`.
    """

    name: str
    guest: str | None
    order: int
    collection_path: str
    object_path: str
    config_path: str | None
    config_method: str
    name_option: str | None
    identity: str
    control: frozenset[str] = frozenset()
    reserved: Mapping[str, str] = attrs.field(factory=dict[str, str])
    create_only: frozenset[str] = frozenset()
    spec: Mapping[str, Any]
    flat: bool = False
    sections: tuple[str, ...] = ()

    @property
    def family(self) -> str:
        """The word that tables about options use for this kind."""
        return self.guest or self.name

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Kind({self.name!r})"
