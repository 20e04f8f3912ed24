"""Which names a release may have: it stands in the markers on the cluster, as one word."""

from __future__ import annotations

import re
from typing import Final

from pmpc_reconcile.errors import InputInvalid

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def check_release_name(name: str) -> None:
    """Refuse a name that could not be read back from a marker.

    Raises:
        InputInvalid: It has other characters, or is too long.
    """
    if NAME.fullmatch(name) is None:
        shown = name if len(name) <= 80 else f"{name[:80]}…"
        raise InputInvalid(
            f"release {shown!r} is no name: use up to 63 letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit"
        )
