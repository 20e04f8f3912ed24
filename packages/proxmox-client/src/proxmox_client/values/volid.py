"""Volume ids: `storage:volume`."""

from __future__ import annotations

import re
from typing import Self

import attrs

_STORAGE = re.compile(r"[A-Za-z][A-Za-z0-9\-_.]*[A-Za-z0-9]")


@attrs.frozen(str=False)
class Volid:
    """A volume on a storage: `local:iso/debian.iso`, `local-lvm:vm-100-disk-0`.

    Attributes:
        storage: Storage id.
        volume: The name the storage gives it, slashes included.
    """

    storage: str
    volume: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `storage:volume`.

        Raises:
            ValueError: The text has no storage id in front, or no volume behind it.
        """
        storage, separator, volume = text.partition(":")
        if not separator or not volume or _STORAGE.fullmatch(storage) is None:
            raise ValueError(f"not a volume id: {text!r}")
        return cls(storage=storage, volume=volume)

    def __str__(self) -> str:
        return f"{self.storage}:{self.volume}"
