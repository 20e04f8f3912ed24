"""Parameters that PVE wants percent-encoded by the caller, before they are encoded for the wire."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, cast
from urllib.parse import quote

_ENCODED: Final = re.compile(r"(?:[-a-zA-Z0-9_.!~*'()]|%[0-9a-fA-F]{2})*")
_SAFE: Final = "!~*'()"


def percent_encoded(names: Sequence[str], params: Mapping[str, object]) -> Mapping[str, object]:
    """Encode the named parameters; what is encoded already stays as it is.

    Public SSH keys hold blanks, which an encoded text never does, so one is not taken for the
    other. Several keys may be given as a list.
    """
    given = {name: params[name] for name in names if params.get(name) is not None}
    if not given:
        return params
    return {**params, **{name: _encode(value) for name, value in given.items()}}


def _encode(value: object) -> str:
    if isinstance(value, (list, tuple)):
        text = "\n".join(str(entry).strip() for entry in cast("Sequence[object]", value))
    else:
        text = str(value)
    return text if _ENCODED.fullmatch(text) else quote(text, safe=_SAFE)
