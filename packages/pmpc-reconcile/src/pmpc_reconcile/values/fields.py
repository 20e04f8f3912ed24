"""Fields: flat paths to plain values, the common language of manifests, servers and records.

`config.cores`, `config.net0.bridge` (a key of a property string), `config.tags.web` (an element of
a set, its value is True), `state`, `pool`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, cast

import attrs


class Absent(enum.Enum):
    """The type of `ABSENT`: there is no value."""

    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"

    def __str__(self) -> str:
        return "nothing"


ABSENT: Final[Literal[Absent.ABSENT]] = Absent.ABSENT


@attrs.frozen(repr=False, str=False)
class Secret:
    """A secret the manifest declares; it never shows itself.

    Attributes:
        text: The secret.
    """

    text: str

    def __repr__(self) -> str:
        return "Secret(**********)"

    def __str__(self) -> str:
        return "**********"


@attrs.frozen(str=False)
class SecretMark:
    """What remains of a secret in records: a keyed fingerprint, or only that there is one.

    Attributes:
        fingerprint: Keyed fingerprint; None when a server shows asterisks.
    """

    fingerprint: str | None = None

    def __str__(self) -> str:
        return "**********"


FieldValue = str | int | float | bool | Secret | SecretMark
Fields = Mapping[str, FieldValue]

_MARK = "fingerprint"


def join_path(section: str, option: str, key: str | None = None) -> str:
    """Write a path: `("config", "net0", "bridge")` is `config.net0.bridge`."""
    return f"{section}.{option}" if key is None else f"{section}.{option}.{key}"


def split_path(path: str) -> tuple[str, str | None, str | None]:
    """Read a path as section, option and key; what is not there is None.

    Option names have no dot; elements of sets may (`config.tags.v1.2` is the tag `v1.2`).
    """
    section, _, rest = path.partition(".")
    option, _, key = rest.partition(".")
    return section, option or None, key or None


def to_record(fields: Fields, fingerprint: Callable[[str], str]) -> dict[str, Any]:
    """Return a JSON form of fields for the database: secrets become keyed fingerprints."""
    return {path: _record(value, fingerprint) for path, value in fields.items()}


def from_record(record: Mapping[str, Any]) -> dict[str, FieldValue]:
    """Read what `to_record` wrote."""
    return {
        path: _read_mark(cast("Mapping[str, Any]", value)) if isinstance(value, dict) else value
        for path, value in record.items()
    }


def _read_mark(form: Mapping[str, Any]) -> SecretMark:
    return SecretMark(form.get(_MARK))


def _record(value: FieldValue, fingerprint: Callable[[str], str]) -> Any:
    if isinstance(value, Secret):
        return {_MARK: fingerprint(value.text)}
    if isinstance(value, SecretMark):
        return {_MARK: value.fingerprint}
    return value
