"""Base of the generated result classes.

A generated class states its fields once for people and type checkers (attrs) and once for the wire:
`__wire__` lists `name:kind` in the order of the fields; `construct` says what the kinds mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, ClassVar, Final, TypeVar, cast, dataclass_transform

import attrs

from proxmox_client.wire.construct import NOTHING, builder, fields_of, names_of
from proxmox_client.wire.secrets import HIDDEN

M = TypeVar("M", bound="Model")
_SECRET: Final = frozenset(
    (
        "password",
        "cipassword",
        "ticket",
        "vncticket",
        "CSRFPreventionToken",
        "secret",
        "client-key",
        "encryption-key",
        "private-key",
        "recovery",
    )
)


class Model:
    """A typed result.

    Attributes:
        extra: Fields the server sent that the class does not know, as they came. A field that came
            as null counts as absent.
    """

    __wire__: ClassVar[str] = ""

    extra: dict[str, Any]

    @classmethod
    def from_wire(cls: type[M], data: Mapping[str, Any]) -> M:
        """Build the value from what PVE sent; odd fields stay as they came, unknown ones too."""
        return cast("M", builder(cls)(deepcopy(dict(data))))

    def to_dict(self) -> dict[str, Any]:
        """Return the value under PVE's own names, without absent fields, with unknown ones."""
        found: dict[str, Any] = {}
        for wire, python, _ in fields_of(type(self)):
            value = getattr(self, python)
            if wire.endswith("[n]"):
                if isinstance(value, dict):
                    entries = cast("dict[int, Any]", value)
                    stem = wire[:-3]
                    found.update({f"{stem}{n}": _plain(entry) for n, entry in entries.items()})
            elif value is not None:
                found[wire] = _plain(value)
        found.update(self.extra)
        return found

    def to_shown(self) -> dict[str, Any]:
        """Return what `to_dict` does, with secrets blotted out: for screens and logs."""
        secret = _secret_fields(type(self))
        return {
            name: HIDDEN if name in secret and value is not None else value
            for name, value in self.to_dict().items()
        }

    def _repr_html_(self) -> str:
        from proxmox_client.notebook import fields

        return fields(type(self).__name__, self.to_shown())

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, n) == getattr(other, n) for n in names_of(type(self)))

    __hash__ = None  # type: ignore[assignment]  # results hold dicts and lists

    def __repr__(self) -> str:
        secret = _secret_fields(type(self))
        pairs = [(name, wire, getattr(self, name)) for wire, name, _ in fields_of(type(self))]
        extra = {name: HIDDEN if name in secret else value for name, value in self.extra.items()}
        shown = ", ".join(
            f"{name}={HIDDEN if wire in secret else value!r}"
            for name, wire, value in (*pairs, ("extra", "extra", extra))
            if value not in (None, {})
        )
        return f"{type(self).__name__}({shown})"


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(attrs.field,))
def result(cls: type[M]) -> type[M]:
    """Make a generated class a frozen attrs class with the field `extra`.

    Comparison and `repr` are shared in `Model`: attrs would compile them anew for every class, and
    importing an area with dozens of classes would be slow. There are no slots: the parsed object
    itself becomes the attribute dict, and what the server left out is read from the class.
    """
    cls.__annotations__["extra"] = dict[str, Any]
    cls.extra = attrs.field(factory=dict[str, Any])
    made = attrs.frozen(kw_only=True, eq=False, repr=False, slots=False)(cls)
    families = {name for wire, name, _ in fields_of(made) if wire.endswith("[n]")}
    for name in names_of(made):
        setattr(made, name, NOTHING if name in families or name == "extra" else None)
    return made


def _secret_fields(cls: type[Model]) -> frozenset[str]:
    """Return the wire names that hold secrets in a result of this class.

    The answer to a new API token calls its secret `value`, as other answers call other things.
    """
    return _SECRET | {"value"} if "Token" in cls.__name__ else _SECRET


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, list):
        return [_plain(entry) for entry in cast("list[object]", value)]
    return value
