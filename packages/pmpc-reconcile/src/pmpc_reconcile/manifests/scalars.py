"""What a plain (unquoted) YAML word is.

The rule, which differs from YAML 1.1 where that surprises people:

* `true` and `false` (any of the three usual spellings) are booleans; `on`, `off`, `yes`, `no`, `y`
  and `n` stay words. An option that is a boolean takes all of them, and an option that has the word
  `on` (`discard: on`) gets the word.
* Decimal numbers without a leading zero are numbers. Everything else that YAML 1.1 turns into a
  number stays text: `0660` (octal), `1_000`, `0x10`, `22:30` and `00:11:22:33:44:55` (base 60),
  `1e3`, `.inf`. So do dates.
* `null`, `~` and nothing are no value, which is an error for every option.
* An option that is a text gets the text as written: `1.10` is not `1.1`.
"""

from __future__ import annotations

import re

_INTEGER = re.compile(r"-?(0|[1-9]\d*)")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)\.\d+")
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False}
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


def plain_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of a plain word."""
    if text in _NULLS:
        return None
    if text in _BOOLEANS or text == "FALSE":
        return _BOOLEANS.get(text, False)
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) < 20 else text
    if _NUMBER.fullmatch(text):
        return float(text)
    return text
