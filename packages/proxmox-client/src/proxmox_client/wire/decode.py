"""Decoders of whole answers: what an operation does with the value under `data`.

None of them raises: an answer of another shape than the schema says is handed on as it came.
Objects become the attribute dicts of the typed values: whoever needs the parsed answer afterwards
has to keep a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from proxmox_client.wire.coerce import keep, to_boolean, to_integer, to_number, to_text
from proxmox_client.wire.construct import builder
from proxmox_client.wire.construct_lists import build_all
from proxmox_client.wire.results import Results

__all__ = ["anything", "boolean", "integer", "listed", "model", "models", "number", "text"]

_MODELS = "proxmox_client.api.models"

anything = keep
text = to_text
integer = to_integer
number = to_number
boolean = to_boolean


class _Lazy:
    """A model class that is imported when the first answer arrives."""

    __slots__ = ("_area", "_class", "_name")

    def __init__(self, area: str, name: str) -> None:
        self._area = area
        self._name = name
        self._class: type[Any] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__.strip('_')}({self._area!r}, {self._name!r})"

    def _load(self) -> type[Any]:
        found: type[Any] = getattr(import_module(f"{_MODELS}.{self._area}"), self._name)
        self._class = found
        return found


class _One(_Lazy):
    __slots__ = ()

    def __call__(self, data: Any) -> Any:
        if data.__class__ is not dict:
            return data
        return builder(self._class or self._load())(data)


class _Many(_Lazy):
    __slots__ = ()

    def __call__(self, data: Any) -> Any:
        if data.__class__ is not list:
            return data
        return Results(build_all(self._class or self._load(), data))


def model(area: str, name: str) -> Callable[[Any], Any]:
    """Decode an object to the model class `name` of `api/models/<area>.py`."""
    return _One(area, name)


def models(area: str, name: str) -> Callable[[Any], Any]:
    """Decode a list of objects to model classes."""
    return _Many(area, name)


def listed(entry: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Decode a list of plain values."""

    def decode(data: Any) -> Any:
        return [entry(value) for value in data] if data.__class__ is list else data

    return decode
