"""Addresses of declared objects: `VirtualMachine/web-1`."""

from __future__ import annotations

from typing import Self

import attrs


@attrs.frozen(order=True, str=False)
class Address:
    """Which object: its kind and its name in the manifests.

    Attributes:
        kind: Name of the kind.
        name: `metadata.name`.
    """

    kind: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `VirtualMachine/web-1`.

        Raises:
            ValueError: It is not kind, slash, name.
        """
        kind, slash, name = text.partition("/")
        if not kind or not slash or not name:
            raise ValueError(f"not an address (Kind/name): {text!r}")
        return cls(kind, name)

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"
