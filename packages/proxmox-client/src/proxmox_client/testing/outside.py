"""What lies outside the cluster and what its nodes can reach there.

Directory servers, identity providers, file servers, certificate authorities, web servers: the
simulator never opens a connection, it looks here. What is not here cannot be reached.
"""

from __future__ import annotations

from typing import Any

import attrs


@attrs.define
class Directory:
    """A directory server (LDAP or Active Directory).

    Attributes:
        users: Attributes by user name: ``password`` and those that a realm synchronises
            (``email``, ``firstname``, ``lastname``, ``comment``, ``enable``, ``expire``).
        groups: User names by group name.
    """

    users: dict[str, dict[str, Any]] = attrs.field(factory=dict[str, dict[str, Any]])
    groups: dict[str, list[str]] = attrs.field(factory=dict[str, list[str]])


@attrs.define
class IdentityProvider:
    """An OpenID provider.

    Attributes:
        codes: What the provider says about a user, by the code it gave him.
    """

    codes: dict[str, dict[str, Any]] = attrs.field(factory=dict[str, dict[str, Any]])


@attrs.define
class FileServer:
    """A server of storages.

    Attributes:
        exports: NFS exports by path, with the clients that may mount them.
        shares: CIFS shares by name, with their description.
        targets: iSCSI targets, with their portals.
        datastores: Backup datastores, with their comment.
    """

    exports: dict[str, str] = attrs.field(factory=dict[str, str])
    shares: dict[str, str] = attrs.field(factory=dict[str, str])
    targets: dict[str, str] = attrs.field(factory=dict[str, str])
    datastores: dict[str, str] = attrs.field(factory=dict[str, str])


@attrs.define
class CertificateAuthority:
    """A certificate authority that speaks ACME.

    Attributes:
        terms: Address of its terms of service; empty for none.
        binding: Whether an account needs an external account binding.
        refused: Domains it finds no proof for.
    """

    terms: str = ""
    binding: bool = False
    refused: set[str] = attrs.field(factory=set[str])


@attrs.define
class Outside:
    """Servers by address.

    Attributes:
        directories: Directory servers by host name or address.
        providers: OpenID providers by issuer's address.
        files: File, iSCSI and backup servers by host name or address.
        authorities: Certificate authorities by directory address.
        mailboxes: Messages that were sent, by address (``gotify`` and ``webhook`` by URL).
        images: Tags by reference of an image in a registry.
    """

    directories: dict[str, Directory] = attrs.field(factory=dict[str, Directory])
    providers: dict[str, IdentityProvider] = attrs.field(factory=dict[str, IdentityProvider])
    files: dict[str, FileServer] = attrs.field(factory=dict[str, FileServer])
    authorities: dict[str, CertificateAuthority] = attrs.field(
        factory=dict[str, CertificateAuthority]
    )
    mailboxes: dict[str, list[dict[str, Any]]] = attrs.field(
        factory=dict[str, list[dict[str, Any]]]
    )
    images: dict[str, list[str]] = attrs.field(factory=dict[str, list[str]])
