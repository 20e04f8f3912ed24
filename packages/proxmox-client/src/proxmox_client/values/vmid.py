"""Guest numbers."""

from __future__ import annotations

from typing import Final

VMID_MIN: Final = 100
VMID_MAX: Final = 999_999_999


def check_vmid(value: int | str) -> int:
    """Return the guest number, checked against what PVE accepts.

    Raises:
        ValueError: Not a whole number between 100 and 999999999.
    """
    text = str(value)
    if not (text.isascii() and text.isdigit() and not text.startswith("0")):
        raise ValueError(f"not a vmid: {value!r}")
    number = int(text)
    if not VMID_MIN <= number <= VMID_MAX:
        raise ValueError(f"vmid {number} is outside {VMID_MIN}-{VMID_MAX}")
    return number
