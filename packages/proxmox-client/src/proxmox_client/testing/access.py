"""Accounts and privileges: who may do what where."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable
from importlib import resources

from proxmox_client.testing.auth import Identity
from proxmox_client.testing.state import AclEntry, Group, Pool, User

_PATH_CHARACTERS = re.compile(r"[A-Za-z0-9.\-_/]+")
_ACL_PATH = re.compile(
    r"/|/access(?:/groups(?:/[\w.\-]+)?|/realm(?:/[\w.\-]+)?)?"
    r"|/nodes(?:/[\w.\-]+)?|/pool(?:/[\w.\-]+){0,3}"
    r"|/sdn(?:/(?:zones|controllers|fabrics|dns|ipams|prefix-lists|route-maps)(?:/[\w.\-]+){0,3})?"
    r"|/storage(?:/[\w.\-]+)?|/vms(?:/[1-9][0-9]{2,})?"
    r"|/mapping(?:/(?:cpu|dir|hwrng|pci|usb|notifications)(?:/[\w.\-]+)?)?"
)


_BROUGHT_BY_9 = ("VM.GuestAgent.", "VM.Replicate")
_RUN_ANYTHING = "VM.GuestAgent.Unrestricted"
_MONITOR = "VM.Monitor"  # what PVE 8 asked for wherever 9 asks for one of VM.GuestAgent


@functools.cache
def special_roles(version: str) -> dict[str, tuple[str, ...]]:
    """PVE's own roles and their privileges in a version of PVE."""
    text = resources.files("proxmox_client.testing").joinpath("roles.json").read_text()
    newest: dict[str, list[str]] = json.loads(text)
    before_9 = int(version.partition(".")[0]) < 9
    return {
        role: tuple(_as_before_9(privileges) if before_9 else privileges)
        for role, privileges in newest.items()
    }


def _as_before_9(privileges: list[str]) -> list[str]:
    kept = [name for name in privileges if not name.startswith(_BROUGHT_BY_9)]
    return sorted([*kept, _MONITOR]) if _RUN_ANYTHING in privileges else kept


def normalise_path(path: str) -> str | None:
    """Tidy an access control path; None if it has characters no path has."""
    tidy = "/" + "/".join(part for part in path.split("/") if part)
    return tidy if _PATH_CHARACTERS.fullmatch(tidy) else None


def acl_path(path: str) -> str | None:
    """Tidy a path for an entry of the list; None if nothing lives at such a path."""
    tidy = normalise_path(path)
    return tidy if tidy and _ACL_PATH.fullmatch(tidy) else None


class AccessControl:
    """Users, groups, roles and the access control list.

    Args:
        pools: The cluster's pools; who may do something in one may do it to its members.
        version: PVE version whose roles and privileges there are.
    """

    def __init__(self, pools: dict[str, Pool], version: str) -> None:
        self._pools = pools
        self._version = version
        self.users: dict[str, User] = {"root@pam": User("root@pam")}
        self.groups: dict[str, Group] = {}
        self.custom_roles: dict[str, set[str]] = {}
        self.acl: list[AclEntry] = []

    @property
    def special_roles(self) -> dict[str, tuple[str, ...]]:
        """PVE's own roles and their privileges."""
        return special_roles(self._version)

    @property
    def all_privileges(self) -> frozenset[str]:
        """Every privilege there is."""
        return frozenset(self.special_roles["Administrator"])

    def may_log_in(self, user: User, now: float) -> bool:
        """Whether the account is enabled and has not expired."""
        return user.enable and not (user.expire and user.expire < now)

    def role(self, name: str) -> frozenset[str] | None:
        """Privileges of a role; None if there is no such role."""
        if name in self.custom_roles:
            return frozenset(self.custom_roles[name])
        special = self.special_roles.get(name)
        return None if special is None else frozenset(special)

    def privileges(self, identity: Identity, path: str) -> dict[str, bool]:
        """Privileges somebody has at a path, and whether each is inherited further down."""
        user = self.users.get(identity.userid)
        if user is None:
            return {}
        mine = self._of_user(user, path)
        if identity.tokenid is None:
            return mine
        token = user.tokens.get(identity.tokenid)
        if token is None:
            return {}
        if not token.privsep:
            return mine
        own = self._resolve("token", [identity.authid], [], path)
        return {name: passes and mine[name] for name, passes in own.items() if name in mine}

    def allows(
        self, identity: Identity, path: str, wanted: Iterable[str], *, any_of: bool = False
    ) -> bool:
        """Whether somebody has all (or any) of the wanted privileges at a path."""
        if identity.is_root:
            return True
        granted = self.privileges(identity, path)
        hits = (name in granted for name in wanted)
        return any(hits) if any_of else all(hits)

    def interesting_paths(self) -> list[str]:
        """Paths worth listing for somebody: where the list has entries, and the usual tops."""
        tops = ("/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms")
        paths = {*tops, *(entry.path for entry in self.acl)}
        for poolid in self._pools:
            for member in self._members(poolid):
                paths.add(member)
        return sorted(paths)

    def _of_user(self, user: User, path: str) -> dict[str, bool]:
        if user.userid == "root@pam":
            return dict.fromkeys(self.all_privileges, True)
        found = self._resolve("user", [user.userid], sorted(user.groups), path)
        for poolid in self._pools:
            if path in self._members(poolid):
                found |= self._resolve(
                    "user", [user.userid], sorted(user.groups), f"/pool/{poolid}"
                )
        return found

    def _members(self, poolid: str) -> set[str]:
        pool = self._pools[poolid]
        return {f"/vms/{vmid}" for vmid in pool.guests} | {
            f"/storage/{name}" for name in pool.storages
        }

    def _resolve(self, kind: str, ids: list[str], groups: list[str], path: str) -> dict[str, bool]:
        """Walk down to a path: the deepest level with entries wins, own entries beat groups'."""
        roles: dict[str, bool] = {}
        levels = ["/"]
        for part in path.strip("/").split("/"):
            if part:
                levels.append(f"{levels[-1].rstrip('/')}/{part}")
        for level in levels:
            here = level == levels[-1]
            found = self._roles_at(level, kind, ids, here) or self._roles_at(
                level, "group", groups, here
            )
            if found:
                roles = found
        if "NoAccess" in roles:
            return {}
        granted: dict[str, bool] = {}
        for role, passes in roles.items():
            for privilege in self.role(role) or ():
                granted[privilege] = granted.get(privilege, False) or passes
        return granted

    def _roles_at(self, level: str, kind: str, ids: list[str], here: bool) -> dict[str, bool]:
        return {
            entry.role: entry.propagate
            for entry in self.acl
            if entry.path == level
            and entry.kind == kind
            and entry.ugid in ids
            and (entry.propagate or here)
        }
