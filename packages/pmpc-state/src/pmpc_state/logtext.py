"""What lines of the cluster's log say of guests: the one place that reads their words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from pmpc_state.canonical import SecretKey, is_secret, redact

_KINDS: Final = {"VM": "qemu", "CT": "lxc"}
_GUEST: Final = re.compile(r"\b(VM|CT) (\d+)\b")
_EDIT: Final = re.compile(r"update (VM|CT) (\d+): (.*)", re.DOTALL)
_OPTION: Final = re.compile(r"(?:^|\s)-{1,2}([a-z]\w*)")
_REMOVED: Final = re.compile(r"(?:^|\s)-{1,2}delete (\S+)")
_SETTING: Final = re.compile(
    r"((?:^|\s)-{1,2}([a-zA-Z][\w-]*)\s)(.*?)(?=\s-{1,2}[a-zA-Z][\w-]*\s|$)", re.DOTALL
)
_TASK: Final = re.compile(r"(?:starting|end) task UPID:")


@attrs.frozen
class Edit:
    """A line that tells of an edit of a guest's configuration.

    Attributes:
        options: The options it names, set or removed.
        values: What it set, as text.
    """

    kind: str
    key: str
    options: frozenset[str]
    values: Mapping[str, str]


def edit_told(message: str) -> Edit | None:
    """Return the edit a line tells of, None if it tells of none."""
    found = _EDIT.fullmatch(message)
    if found is None:
        return None
    words, rest = found.groups()[:2], found.group(3)
    options = set(_OPTION.findall(rest))
    for listed in _REMOVED.findall(rest):
        options.update(listed.split(","))
    values = {name: value for _, name, value in _SETTING.findall(rest) if name != "delete"}
    return Edit(_KINDS[words[0]], words[1], frozenset(options), values)


def guest_told(message: str) -> tuple[str, str] | None:
    """Return kind and vmid of the guest a line is about; None for others, and for those of tasks.

    Tasks are recorded as such, with more than their lines say.
    """
    found = None if _TASK.match(message) else _GUEST.search(message)
    return None if found is None else (_KINDS[found.group(1)], found.group(2))


def without_secrets(message: str, key: SecretKey) -> str:
    """Return a line with every secret in it replaced, should a server write one.

    PVE hides passwords in these lines itself; what else is secret by its name or form goes here.
    """
    hidden = _SETTING.sub(lambda found: found[1] + _setting(found[2], found[3], key), message)
    # A list of variables has NULs in it, and PostgreSQL has no text with one.
    return str(redact({"message": hidden}, key)["message"]).replace("\0", " ")


def _setting(option: str, value: str, key: SecretKey) -> str:
    return "<hidden>" if is_secret(option) else str(redact({option: value}, key)[option])
