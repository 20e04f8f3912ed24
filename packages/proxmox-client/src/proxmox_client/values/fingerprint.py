"""SHA-256 fingerprints of certificates, spelled as PVE shows them."""

from __future__ import annotations

import hashlib
import re
from typing import Self

import attrs

_HEX = re.compile(r"[0-9A-Fa-f]{64}")


def _normalise(text: str) -> str:
    digits = text.strip().removeprefix("SHA256:").removeprefix("sha256:").replace(":", "")
    if _HEX.fullmatch(digits) is None:
        raise ValueError(
            f"not a SHA-256 fingerprint: {text!r} (32 pairs of hex digits, as `pvenode cert info` "
            "shows them)"
        )
    digits = digits.upper()
    return ":".join(digits[i : i + 2] for i in range(0, 64, 2))


@attrs.frozen(str=False)
class Fingerprint:
    """SHA-256 of a certificate: `AB:CD:…`, 32 pairs; colons and case do not matter when given.

    Attributes:
        text: The spelling PVE uses, upper case with colons.
    """

    text: str = attrs.field(converter=_normalise)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a fingerprint.

        Raises:
            ValueError: The text is not 32 pairs of hex digits.
        """
        return cls(text)

    @classmethod
    def of(cls, certificate: bytes) -> Self:
        """Return the fingerprint of a certificate in DER form."""
        return cls(hashlib.sha256(certificate).hexdigest())

    def __str__(self) -> str:
        return self.text
