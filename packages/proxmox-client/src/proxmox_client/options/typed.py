"""The structured options of a result as typed values, read when asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxmox_client.options.value import OptionValue
    from proxmox_client.wire.model import Model


class TypedOptions:
    """The structured options of one result.

    Reading never raises: what does not fit its key is kept in the value's `extra`.
    """

    __slots__ = ("_model",)

    # Class of each option, by the name of the result's field.
    __options__: ClassVar[Mapping[str, str]] = {}

    def __init__(self, model: Model) -> None:
        self._model = model

    if not TYPE_CHECKING:  # the fields are declared, so a wrong name is an error for type checkers

        def __getattr__(self, name: str) -> Any:
            if name not in self.__options__:
                raise AttributeError(f"{type(self).__name__} has no option {name!r}")
            return self._read(name)

    def to_dict(self) -> dict[str, Any]:
        """Return the options that are set, by the names of the result's fields."""
        found = {name: self._read(name) for name in self.__options__}
        return {name: value for name, value in found.items() if value not in (None, {}, [])}

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__options__})

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.to_dict().items())
        return f"{type(self).__name__}({shown})"

    def _read(self, name: str) -> Any:
        from proxmox_client.api import options

        made: type[OptionValue] = getattr(options, self.__options__[name])
        value: object = getattr(self._model, name)
        if isinstance(value, dict):
            entries = cast("dict[object, object]", value)
            if all(isinstance(index, int) for index in entries):
                return {index: made.read(entry) for index, entry in entries.items()}
            return made.read(entries)
        if isinstance(value, list):
            return [made.read(entry) for entry in cast("list[object]", value)]
        return None if value is None else made.read(value)
