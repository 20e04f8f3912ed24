"""Property strings: `virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1`.

The grammar is PVE's: parts between commas, `key=value` each, one part may be a bare value that
belongs to the option's default key. There is no quoting: a comma cannot be part of a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Self


class PropertyString(Mapping[str, str]):
    """An ordered, immutable mapping of a property string's keys.

    Equality is that of mappings: order and the default key do not count.

    Args:
        values: The keys in order. Booleans become 1 and 0, sequences are joined by semicolons,
            None is left out.
        default_key: The key whose value is written bare.

    Raises:
        ValueError: A key or value that the grammar cannot carry.
    """

    __slots__ = ("_default_key", "_values")

    def __init__(self, values: Mapping[str, object], *, default_key: str | None = None) -> None:
        self._values = {
            _checked_key(key): _checked_value(key, value)
            for key, value in values.items()
            if value is not None
        }
        self._default_key = default_key

    @classmethod
    def parse(cls, text: str, *, default_key: str | None = None) -> Self:
        """Read a property string; unknown keys are kept.

        Args:
            text: What PVE shows or accepts.
            default_key: The key a bare value belongs to.

        Raises:
            ValueError: A key given twice, or a bare value where there is no default key.
        """
        values: dict[str, str] = {}
        for part in text.split(","):
            if not part.strip():
                continue
            key, separator, value = part.partition("=")
            if not separator:
                if default_key is None:
                    raise ValueError(f"value without key in {text!r}: {part!r}")
                key, value = default_key, part
            key = key.strip()
            if key in values:
                raise ValueError(f"key given twice in {text!r}: {key!r}")
            values[key] = value.strip()
        return cls(values, default_key=default_key)

    @property
    def default_key(self) -> str | None:
        """The key whose value is written bare."""
        return self._default_key

    def format(self) -> str:
        """Return the text PVE accepts, keys in order, the default key's value bare."""
        return ",".join(
            value if key == self._default_key and value and "=" not in value else f"{key}={value}"
            for key, value in self._values.items()
        )

    def updated(self, changes: Mapping[str, object]) -> Self:
        """Return a copy with keys set; None removes a key; others keep their place."""
        return type(self)({**self._values, **changes}, default_key=self._default_key)

    def __getitem__(self, key: str) -> str:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __hash__(self) -> int:
        return hash(frozenset(self._values.items()))

    def __str__(self) -> str:
        return self.format()

    def __repr__(self) -> str:
        return f"PropertyString({self.format()!r})"


def _checked_key(key: str) -> str:
    if not key or key != key.strip() or any(c in key for c in ",=\n"):
        raise ValueError(f"not a key of a property string: {key!r}")
    return key


def _checked_value(key: str, value: object) -> str:
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (list, tuple, set, frozenset)):
        parts: list[str] = [str(item) for item in value]  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]  # isinstance cannot narrow the elements
        text = ";".join(parts)
    else:
        text = str(value)
    if "," in text or "\n" in text or text != text.strip():
        raise ValueError(f"{key}: a property string cannot carry {text!r}")
    return text
