"""The permission checks the schema declares, compiled to functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from proxmox_client.testing.access import AccessControl, acl_path, normalise_path
from proxmox_client.testing.auth import Identity
from proxmox_client.testing.formats import check_user_id, split_list
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.validation import text_of

_PLACEHOLDER = re.compile(r"\{([^}]+)\}")
Params = Mapping[str, Any]
PermissionCheck = Callable[[AccessControl, Identity, Params], None]
"""Returns if the call is allowed, raises ``PveFault`` (403) if not."""


def denied(detail: str = "") -> PveFault:
    """Return the fault for a refused call."""
    return PveFault(
        403, f"Permission check failed ({detail})" if detail else "Permission check failed"
    )


def require(
    access: AccessControl,
    identity: Identity,
    path: str,
    privileges: Sequence[str],
    *,
    any_of: bool = False,
) -> None:
    """Insist on privileges at a path.

    Raises:
        PveFault: Status 403, naming path and privileges.
    """
    if identity.is_root:
        return
    tidy = normalise_path(path)
    if tidy is None or not access.allows(identity, tidy, privileges, any_of=any_of):
        raise denied(f"{tidy or ''}, {('|' if any_of else ', ').join(privileges)}")


def compile_permissions(
    permissions: Mapping[str, Any] | None, *, allow_token: bool, path: str
) -> PermissionCheck:
    """Compile an operation's declaration."""
    inner = _compile_declared(permissions)

    def check(access: AccessControl, identity: Identity, params: Params) -> None:
        if identity.tokenid is not None and not allow_token:
            raise denied(
                f"URI '{_filled(path, params)}' not available with API token, need proper ticket.\n"
            )
        if not identity.is_root:
            inner(access, identity, params)

    return check


def _compile_declared(permissions: Mapping[str, Any] | None) -> PermissionCheck:
    if permissions is None:
        return _root_only
    if permissions.get("user") in ("all", "world"):
        return _anybody
    return _compile(permissions["check"])


def _anybody(access: AccessControl, identity: Identity, params: Params) -> None:
    return None


def _root_only(access: AccessControl, identity: Identity, params: Params) -> None:
    raise denied("user != root@pam")


def _compile(check: Sequence[Any]) -> PermissionCheck:
    match check[0]:
        case "and":
            parts = [_compile(part) for part in check[1:]]

            def every(access: AccessControl, identity: Identity, params: Params) -> None:
                for part in parts:
                    part(access, identity, params)

            return every
        case "or":
            return _compile_or([_compile(part) for part in check[1:]])
        case "perm":
            return _compile_perm(check)
        case "perm-modify":
            return _perm_modify
        case "userid-param":
            return _userid_self if check[1] == "self" else _userid_realm(check[1])
        case "userid-group":
            return _userid_group(check)
        case _:
            raise ValueError(f"unknown permission check {check!r}")


def _compile_or(parts: list[PermissionCheck]) -> PermissionCheck:
    def either(access: AccessControl, identity: Identity, params: Params) -> None:
        for part in parts:
            try:
                return part(access, identity, params)
            except PveFault:
                continue
        raise denied()

    return either


def _compile_perm(check: Sequence[Any]) -> PermissionCheck:
    template, privileges = check[1], tuple(check[2])
    options = dict(zip(check[3::2], check[4::2], strict=False))
    any_of = bool(options.get("any"))
    needed = options.get("require_param")

    def allowed(access: AccessControl, identity: Identity, params: Params) -> None:
        if needed is not None and needed not in params:
            raise denied()
        require(access, identity, _filled(template, params), privileges, any_of=any_of)

    return allowed


def _filled(template: str, params: Params) -> str:
    """Fill in the placeholders; one that was not sent is empty, which leaves the path above."""
    if "{" not in template:
        return template
    return _PLACEHOLDER.sub(lambda found: text_of(params.get(found[1], "")), template)


def _perm_modify(access: AccessControl, identity: Identity, params: Params) -> None:
    path = text_of(params.get("path", ""))
    tidy = acl_path(path)
    if tidy is None:
        raise PveFault.parameters({"path": f"invalid ACL path '{path}'"})
    if access.allows(identity, tidy, ["Permissions.Modify"]):
        return
    special = {"/storage/": "Datastore.Allocate", "/vms/": "VM.Allocate", "/pool/": "Pool.Allocate"}
    for prefix, privilege in special.items():
        if tidy.startswith(prefix) and access.allows(identity, tidy, [privilege]):
            return
    raise denied(f"{tidy}, Permissions.Modify")


def _userid(params: Params) -> str:
    userid = text_of(params.get("userid", ""))
    try:
        check_user_id(userid)
    except ValueError as error:
        raise PveFault(500, str(error)) from None
    return userid


def _userid_self(access: AccessControl, identity: Identity, params: Params) -> None:
    userid = _userid(params)
    if userid not in access.users or userid != identity.userid:
        raise denied()


def _userid_realm(privilege: str) -> PermissionCheck:
    def allowed(access: AccessControl, identity: Identity, params: Params) -> None:
        realm = _userid(params).rpartition("@")[2]
        require(access, identity, f"/access/realm/{realm}", [privilege])

    return allowed


def _userid_group(check: Sequence[Any]) -> PermissionCheck:
    privileges = tuple(check[1])
    options = dict(zip(check[2::2], check[3::2], strict=False))
    groups_param = options.get("groups_param")

    def allowed(access: AccessControl, identity: Identity, params: Params) -> None:
        userid = _userid(params)
        if groups_param != "create" and userid not in access.users:
            raise PveFault(500, f"no such user ('{userid}')")
        if access.allows(identity, "/access/groups", privileges, any_of=True):
            return
        user = access.users.get(userid)
        groups = set(user.groups) if user else set[str]()
        if groups_param and "groups" in params:
            groups |= set(split_list(text_of(params["groups"])))
        hits = [
            access.allows(identity, f"/access/groups/{group}", privileges, any_of=True)
            for group in groups
        ]
        if not (all(hits) if groups_param else any(hits)) or not hits:
            raise denied()

    return allowed
