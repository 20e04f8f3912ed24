"""Asking beforehand whether a call would be allowed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

import attrs

from proxmox_client.errors import RequestInvalid
from proxmox_client.flows.call import Session, ask, perform_raw
from proxmox_client.flows.effects import Flow
from proxmox_client.flows.versions import known_version

_PLACEHOLDER: Final = re.compile(r"\{([^}]+)\}")
_NUMBERS: Final = re.compile(r"(\d+)\.(\d+)")
_ROOT: Final = "root@pam"


@attrs.frozen
class MissingPrivilege:
    """What a token or user lacks for a call.

    Attributes:
        who: The token or user.
        path: ACL path; empty where no privilege would help.
        privileges: What is lacking there; all of them, or one of them with `any_of`.
        any_of: One of them is enough.
        granted: What it has there.
    """

    who: str
    path: str
    privileges: tuple[str, ...]
    any_of: bool = False
    granted: tuple[str, ...] = ()

    def __str__(self) -> str:
        names = (" or " if self.any_of else " and ").join(self.privileges)
        if not self.path:
            return f"needs {names}; {self.who} can never be that"
        has = ", ".join(self.granted) or "no privilege"
        return f"needs {names} on {self.path}; {self.who} has {has} there"


Missing = tuple[MissingPrivilege, ...]


def missing_privileges(
    session: Session, method: str, path: str, params: Mapping[str, object]
) -> Flow[Missing]:
    """Compare what PVE asks of a call with what is granted (GET /access/permissions).

    What is asked is what the server's own version declares; the newest known one counts where the
    server does not tell its version or the session does not ask for it.

    PVE checks more than it declares: options of a guest one by one, storages, bridges. So nothing
    missing here means only that the call itself is allowed.

    Args:
        session: Who would call.
        method: HTTP method.
        path: Filled path.
        params: Those of the call that its check may name, such as `newid` or `pool`.

    Raises:
        RequestInvalid: There is no such call.
        ApiError: As everywhere.
    """
    from proxmox_client import schema  # loads its facts: only needed here

    newest = schema.find(method.upper(), path)
    if newest is None:
        raise RequestInvalid(f"{method} {path}", "the API of no known PVE version has it")
    release = yield from _release(session, schema.versions())
    facts, placeholders = schema.find(method.upper(), path, release) or newest
    if session.token is not None and not facts.allow_token:
        return (MissingPrivilege(session.who, "", ("a password ticket instead of a token",)),)
    if session.who == _ROOT:
        return ()
    declared = facts.permissions
    if declared is None:
        return (MissingPrivilege(session.who, "", (_ROOT,)),)
    check: object = declared.get("check")
    if not isinstance(check, (list, tuple)):
        return ()
    values = {**{name: str(value) for name, value in params.items()}, **placeholders}
    return (yield from _evaluate(session, cast("Sequence[Any]", check), values))


def _release(session: Session, known: Sequence[str]) -> Flow[str]:
    """Return the known version next to the server's: its own, else the last one before it."""
    told: str | None = None
    if session.server is not None:
        told = yield from known_version(session.server, partial(ask, session))
    numbers = _NUMBERS.match(told or "")
    if numbers is None:
        return known[-1]
    server = (int(numbers[1]), int(numbers[2]))
    before = [name for name in known if tuple(map(int, name.split("."))) <= server]
    return before[-1] if before else known[0]


def _evaluate(session: Session, check: Sequence[Any], values: Mapping[str, str]) -> Flow[Missing]:
    match check[0]:
        case "and":
            lacking: list[MissingPrivilege] = []
            for part in check[1:]:
                lacking += yield from _evaluate(session, part, values)
            return tuple(lacking)
        case "or":
            least: Missing | None = None
            for part in check[1:]:
                if not _applies(part, values):
                    continue
                found = yield from _evaluate(session, part, values)
                if least is None or len(found) < len(least):
                    least = found
            return least or ()
        case "perm":
            return (yield from _compare(session, check, values))
        case _:  # checks of users by their groups: only the call itself can tell
            return ()


def _applies(check: Sequence[Any], values: Mapping[str, str]) -> bool:
    needed = _options(check).get("require_param") if check[0] == "perm" else None
    return needed is None or needed in values


def _compare(session: Session, check: Sequence[Any], values: Mapping[str, str]) -> Flow[Missing]:
    template = str(check[1])
    if any(name not in values for name in _PLACEHOLDER.findall(template)):
        return ()
    path = _PLACEHOLDER.sub(lambda match: values[match[1]], template)
    data: object = yield from perform_raw(session, "GET", "/access/permissions", {"path": path})
    by_path = cast("dict[str, dict[str, Any]]", data) if isinstance(data, dict) else {}
    granted = by_path.get(path, {})
    wanted = tuple(str(name) for name in check[2])
    lacking = tuple(name for name in wanted if name not in granted)
    any_of = bool(_options(check).get("any"))
    if not lacking or (any_of and len(lacking) < len(wanted)):
        return ()
    return (MissingPrivilege(session.who, path, lacking, any_of, tuple(sorted(granted))),)


def _options(check: Sequence[Any]) -> dict[str, Any]:
    rest = check[3:]
    return dict(zip(rest[::2], rest[1::2], strict=False))
