"""Base of the generated option classes: reading, checking and writing property strings.

The grammar is PVE's: parts between commas, `key=value` each; one part may be a bare value that
belongs to the default key. A key may have other names (aliases), and some names are themselves the
value of another key: `virtio=BC:24:11:00:00:01` is `model=virtio` and `macaddr=BC:24:11:00:00:01`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Self, cast

from proxmox_client.options.keys import Key, check_text
from proxmox_client.wire.coerce import to_text

WHOLE = ""
"""Key in `extra` of a text that follows no grammar, kept as it came."""
_NOTHING: Mapping[str, str] = MappingProxyType({})


class OptionInvalid(ValueError):
    """A structured option that PVE would refuse.

    Attributes:
        option: The option, such as `net[n]`.
        key: The key it is about; None where it is the text as a whole.
        allowed: What would do.
    """

    def __init__(self, option: str, key: str | None, problem: str, allowed: str) -> None:
        about = f"{option}: {key} " if key else f"{option}: "
        super().__init__(f"{about}{problem}: {allowed}")
        self.option = option
        self.key = key
        self.allowed = allowed


class OptionValue:
    """A structured option: frozen, compared by its keys, written as PVE wants it.

    Attributes:
        extra: Keys this version of the client does not know, in order, as text. A known key may
            stand here with a value that only a newer PVE understands.
    """

    __slots__ = ("extra",)

    __option__: ClassVar[str]
    __keys__: ClassVar[tuple[Key, ...]]
    # The key whose name may be left out, and whether PVE itself leaves it out.
    __default__: ClassVar[str | None] = None
    __bare__: ClassVar[bool] = True
    __aliases__: ClassVar[Mapping[str, str]] = _NOTHING
    # Names that are the value of the first key and carry the value of the second.
    __named__: ClassVar[tuple[str, str, frozenset[str]] | None] = None
    __table__: ClassVar[Mapping[str, Key]]

    extra: Mapping[str, str]

    def __init_subclass__(cls) -> None:
        cls.__table__ = {key.name: key for key in cls.__keys__}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a property string; unknown keys go to `extra`.

        Raises:
            OptionInvalid: PVE would refuse it: key given twice, missing or with a wrong value.
        """
        made = cls.__new__(cls)
        made._build(cls._pairs(text), strict=True)
        return made

    @classmethod
    def read(cls, value: object) -> Self:
        """Read what a server answered: never raises and loses nothing.

        What a key cannot accept stays in `extra`, as text; a text without grammar stays there
        whole, under an empty key. A key PVE left out is None, even if it is required.
        """
        made = cls.__new__(cls)
        try:
            made._build(cls._pairs(value), strict=False)
        except OptionInvalid:
            made._set({}, {WHOLE: str(value)})
        return made

    def updated(self, **changes: object) -> Self:
        """Return a copy with keys set, by their Python names; None removes one.

        Raises:
            OptionInvalid: The result would be refused by PVE.
            TypeError: There is no such key.
        """
        given = {key.python: getattr(self, key.python) for key in self.__keys__}
        return type(self)(**{**given, "extra": self.extra, **changes})

    def to_dict(self) -> dict[str, Any]:
        """Return the keys that are set, typed, by PVE's names; unknown ones last."""
        return {**dict(self._given()), **self.extra}

    def __str__(self) -> str:
        if WHOLE in self.extra:
            return self.extra[WHOLE]
        texts = {key: self.__table__[key].write(value) for key, value in self._given()}
        first: list[str] = []
        if self.__named__ is not None:
            name, carried, names = self.__named__
            if texts.get(name) in names and carried in texts:
                first.append(f"{texts.pop(name)}={texts.pop(carried)}")
        bare = texts.get(self.__default__ or WHOLE) if self.__bare__ else None
        if bare and "=" not in bare:
            first.append(bare)
            del texts[cast("str", self.__default__)]
        rest = sorted(texts, key=lambda name: (not self.__table__[name].required, name))
        return ",".join(
            [
                *first,
                *(f"{key}={texts[key]}" for key in rest),
                *(f"{key}={value}" for key, value in self.extra.items()),
            ]
        )

    def __repr__(self) -> str:
        shown = [f"{self.__table__[name].python}={value!r}" for name, value in self._given()]
        shown += [f"extra={dict(self.extra)!r}"] if self.extra else []
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OptionValue) or type(other) is not type(self):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((type(self), frozenset(self.to_dict().items())))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: use updated({name}=…)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: use updated({name}=None)")

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return type(self).read, (self.to_dict() if WHOLE not in self.extra else str(self),)

    def _fill(self, given: Mapping[str, Any]) -> None:
        """Take over the arguments of `__init__`."""
        values: dict[str, Any] = {
            key.name: given[key.python] for key in self.__keys__ if given[key.python] is not None
        }
        more: Mapping[str, object] = given["extra"] or {}
        for name in more:
            if name in values or name in self.__aliases__:
                raise OptionInvalid(self.__option__, name, "stands in extra", "give it as keyword")
        unfit = self._build([*values.items(), *more.items()], strict=False)
        for name in unfit:
            if name not in more:
                raise self._refused(name, values[name])
        self._check_set(more)

    def _build(self, pairs: Iterable[tuple[str, object]], *, strict: bool) -> list[str]:
        """Set all keys; return the known ones whose value does not fit."""
        values: dict[str, Any] = {}
        extra: dict[str, str] = {}
        unfit: list[str] = []
        for name, value in pairs:
            if name in values or name in extra:
                raise OptionInvalid(self.__option__, name, "is given twice", "once is enough")
            key = self.__table__.get(name)
            try:
                if key is not None:
                    values[name] = key.read(value)
                    continue
            except ValueError:
                if strict:
                    raise self._refused(name, value) from None
                unfit.append(name)
            extra[name] = self._extra_text(name, value, strict=strict or key is None)
        self._set(values, extra)
        if strict:
            self._check_set(())
        return unfit

    def _set(self, values: Mapping[str, Any], extra: dict[str, str]) -> None:
        for key in self.__keys__:
            object.__setattr__(self, key.python, values.get(key.name))
        object.__setattr__(self, "extra", MappingProxyType(extra) if extra else _NOTHING)

    def _check_set(self, elsewhere: Iterable[str]) -> None:
        given = {*dict(self._given()), *elsewhere}
        for key in self.__keys__:
            if key.required and key.name not in given:
                raise OptionInvalid(self.__option__, key.name, "must be given", key.allowed)
            if key.requires and key.name in given and key.requires not in given:
                needed = f"give {key.requires} with it"
                raise OptionInvalid(self.__option__, key.name, "cannot stand alone", needed)

    def _extra_text(self, name: str, value: object, *, strict: bool) -> str:
        text = to_text(value)
        text = text if isinstance(text, str) else str(value)
        try:
            if not name or any(c in name for c in ",=\n") or name != name.strip():
                raise ValueError
            check_text(text)
        except ValueError:
            if strict:
                problem = f"cannot be {text!r}"
                raise OptionInvalid(
                    self.__option__, name or "key", problem, "no commas, no blanks around"
                ) from None
        return text

    def _refused(self, name: str, value: object) -> OptionInvalid:
        allowed = self.__table__[name].allowed
        return OptionInvalid(self.__option__, name, f"cannot be {value!r}", allowed)

    def _given(self) -> Iterator[tuple[str, Any]]:
        for key in self.__keys__:
            value = getattr(self, key.python)
            if value is not None:
                yield key.name, value

    @classmethod
    def _pairs(cls, given: object) -> Iterator[tuple[str, object]]:
        """Yield keys and values under the keys' own names."""
        if isinstance(given, Mapping):
            entries = cast("Mapping[str, object]", given)
            for name, value in entries.items():
                if value is not None:
                    yield from cls._named(name, value)
            return
        for part in str(to_text(given)).split(","):
            name, separator, value = part.partition("=")
            if separator:
                yield from cls._named(name.strip(), value.strip())
            elif part.strip():
                if cls.__default__ is None:
                    problem = f"holds {part.strip()!r} without a key"
                    raise OptionInvalid(cls.__option__, None, problem, "write key=value")
                yield cls.__default__, part.strip()

    @classmethod
    def _named(cls, name: str, value: object) -> Iterator[tuple[str, object]]:
        if cls.__named__ is not None and name in cls.__named__[2]:
            yield cls.__named__[0], name
            yield cls.__named__[1], value
        else:
            yield cls.__aliases__.get(name, name), value
