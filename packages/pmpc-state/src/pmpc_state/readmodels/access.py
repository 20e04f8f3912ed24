"""Pools, users, tokens, groups, roles, permissions and realms."""

from __future__ import annotations

from typing import Annotated, ClassVar

import attrs

from pmpc_state.filters.fields import Place
from pmpc_state.filters.tables import column, option
from pmpc_state.readmodels.base import ReadModel


@attrs.frozen(kw_only=True)
class Pool(ReadModel):
    """A pool.

    Attributes:
        members: Addresses: `qemu/100`, `storage/local`.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("pool",)

    pool: Annotated[str, column(Place.KEY)]
    comment: str | None
    members: tuple[str, ...]


@attrs.frozen(kw_only=True)
class User(ReadModel):
    """A user.

    Attributes:
        expires: In seconds since 1970; 0 for never.
        keys: A fingerprint of the second factor, if one is kept with the user.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("user",)

    userid: Annotated[str, column(Place.KEY)]
    enabled: Annotated[bool | None, option("enable")]
    expires: Annotated[int | None, option("expire")]
    groups: tuple[str, ...]
    email: str | None
    firstname: str | None
    lastname: str | None
    comment: str | None
    keys: str | None


@attrs.frozen(kw_only=True)
class Token(ReadModel):
    """An API token.

    Attributes:
        token: `user@realm!name`.
        privilege_separation: Whether it may do less than its user.
        expires: In seconds since 1970; 0 for never.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("token",)

    token: Annotated[str, column(Place.KEY)]
    tokenid: str | None
    privilege_separation: Annotated[bool | None, option("privsep")]
    expires: Annotated[int | None, option("expire")]
    comment: str | None

    @property
    def userid(self) -> str:
        """The user it belongs to."""
        return self.token.partition("!")[0]


@attrs.frozen(kw_only=True)
class SecondFactor(ReadModel):
    """A second factor of a user.

    Attributes:
        id: Its name at the user; what it is made of is not shown by PVE.
        created: In seconds since 1970.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("tfa",)

    id: str
    type: str | None
    description: str | None
    enabled: Annotated[bool | None, option("enable")]
    created: int | None

    @property
    def userid(self) -> str:
        """The user it belongs to."""
        return self.key.partition("!")[0]


@attrs.frozen(kw_only=True)
class Group(ReadModel):
    """A group of users."""

    KINDS: ClassVar[tuple[str, ...]] = ("group",)

    user_group: Annotated[str, column(Place.KEY)]
    users: tuple[str, ...]
    comment: str | None


@attrs.frozen(kw_only=True)
class Role(ReadModel):
    """A role: a set of privileges."""

    KINDS: ClassVar[tuple[str, ...]] = ("role",)

    role: Annotated[str, column(Place.KEY)]
    privileges: Annotated[tuple[str, ...], option("privs")]
    built_in: Annotated[bool | None, option("special")]


@attrs.frozen(kw_only=True)
class AclEntry(ReadModel):
    """A permission: a role of a subject on a path.

    Attributes:
        type: user, group or token.
        subject: Who.
    """

    KINDS: ClassVar[tuple[str, ...]] = ("acl",)

    path: str
    type: str | None
    subject: Annotated[str, option("ugid")]
    role: Annotated[str, option("roleid")]
    propagate: bool | None


@attrs.frozen(kw_only=True)
class Realm(ReadModel):
    """A realm users log in to."""

    KINDS: ClassVar[tuple[str, ...]] = ("realm",)

    realm: Annotated[str, column(Place.KEY)]
    type: str | None
    comment: str | None
    tfa: str | None
    default: bool | None
    server1: str | None
    server2: str | None
    port: int | None
    mode: str | None
    base_dn: str | None
    bind_dn: str | None
    user_attr: str | None
    filter: str | None
    domain: str | None
    case_sensitive: Annotated[bool | None, option("case-sensitive")]
    issuer_url: Annotated[str | None, option("issuer-url")]
    client_id: Annotated[str | None, option("client-id")]
    autocreate: bool | None


@attrs.frozen(kw_only=True)
class RealmSyncJob(ReadModel):
    """A job that takes users over from a realm."""

    KINDS: ClassVar[tuple[str, ...]] = ("realm-sync-job",)

    id: Annotated[str, column(Place.KEY)]
    enabled: bool | None
    realm: str | None
    schedule: str | None
    scope: str | None
    enable_new: Annotated[bool | None, option("enable-new")]
    remove_vanished: Annotated[str | None, option("remove-vanished")]
    comment: str | None
