"""From what a person gives to a connection they can trust: address, token, certificate."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import attrs

from pmpc_cli.exit_codes import ExitCode
from pmpc_cli.failures import CommandRefused
from pmpc_cli.present.terminal import ask_secret, confirm, interactive, tell
from pmpc_reconcile.contexts import Context, Trust, connect

PVE_PORT = 8006
LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Hosts that may be spoken to without TLS: a simulator on this machine."""


def server_url(given: str) -> str:
    """Return the address of an API from what people type: `pve1`, `pve1:8006` or a URL."""
    address = given if "://" in given else f"https://{given}"
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = -1
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    if not (plain or parts.scheme == "https") or not parts.hostname or port == -1:
        raise CommandRefused(
            f"cannot use {given!r} as the address of a cluster",
            "give a host name, host:port or https://host:port",
            ExitCode.USAGE,
        )
    netloc = parts.netloc if port else f"{parts.netloc}:{PVE_PORT}"
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))


def without_password(url: str) -> str:
    """Return a database URL with its password blotted out."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    account, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{account.partition(':')[0]}:***@{host}"))


@attrs.frozen
class Credentials:
    """Where the API token comes from; at most one of the three is given.

    Attributes:
        token: The token itself.
        file: A file that holds it, `-` for stdin.
        variable: An environment variable that will hold it.
    """

    token: str | None = attrs.field(default=None, repr=False)
    file: str | None = None
    variable: str | None = None

    def secret(self) -> str | None:
        """Return the token to save, None if it stays in its variable.

        Raises:
            CommandRefused: More than one source, no source and nobody to ask, or no token there.
        """
        given = [source for source in (self.token, self.file, self.variable) if source is not None]
        if len(given) > 1:
            raise CommandRefused(
                "cannot take the token from more than one place",
                "give one of --token-file, --token-env and --token",
                ExitCode.USAGE,
            )
        if self.variable is not None:
            return None
        return _token(self._read())

    def _read(self) -> str:
        if self.token is not None:
            tell(
                "note: a token on the command line stays in the shell's history; "
                "--token-file and --token-env keep it out",
                style="yellow",
            )
            return self.token
        if self.file == "-":
            return sys.stdin.readline()
        if self.file is not None:
            return Path(self.file).expanduser().read_text(encoding="utf-8")
        if interactive():
            return _ask_token()
        raise CommandRefused(
            "cannot ask for the API token: this is not a terminal",
            "give --token-file FILE (or - for stdin) or --token-env VARIABLE",
            ExitCode.USAGE,
        )


def _ask_token() -> str:
    answer = ask_secret("API token (USER@REALM!ID=SECRET): ")
    if not answer:
        raise CommandRefused(
            "no API token was given",
            "create one in the web UI under Datacenter → Permissions → API Tokens",
        )
    return answer


def _token(text: str) -> str:
    from proxmox_client.values import ApiToken

    try:
        ApiToken.parse(text.strip())
    except ValueError as error:
        raise CommandRefused(
            f"cannot use that API token: {error}",
            "it looks like USER@REALM!ID=SECRET, such as root@pam!pmpc=0123…",
            ExitCode.USAGE,
        ) from error
    return text.strip()


@attrs.frozen
class TrustChoice:
    """What the person said about the server's certificate; at most one of the first three.

    Attributes:
        fingerprint: SHA-256 of the one certificate to accept.
        ca: File of the CA to accept.
        first_use: Fetch the certificate and pin it once the person agrees.
        assume_yes: They already agreed.
    """

    fingerprint: str | None = None
    ca: str | None = None
    first_use: bool = False
    assume_yes: bool = False


def choose_trust(choice: TrustChoice, url: str) -> Trust:
    """Return whom to trust.

    Raises:
        CommandRefused: The choices exclude each other, or the person does not agree.
    """
    if sum((choice.fingerprint is not None, choice.ca is not None, choice.first_use)) > 1:
        raise CommandRefused(
            "cannot trust in more than one way",
            "give one of --fingerprint, --ca and --trust",
            ExitCode.USAGE,
        )
    if choice.fingerprint is not None:
        return Trust("fingerprint", _fingerprint(choice.fingerprint))
    if choice.ca is not None:
        path = Path(choice.ca).expanduser().resolve()
        path.open("rb").close()
        return Trust("ca", str(path))
    return _first_use(choice, url) if choice.first_use else Trust()


def _fingerprint(text: str) -> str:
    from proxmox_client.values import Fingerprint

    try:
        return str(Fingerprint.parse(text))
    except ValueError as error:
        raise CommandRefused(
            f"cannot use {text!r} as a fingerprint: {error}",
            "it is the SHA-256 PVE shows under System → Certificates: 32 pairs of hex digits",
            ExitCode.USAGE,
        ) from error


def _first_use(choice: TrustChoice, url: str) -> Trust:
    from proxmox_client import fetch_fingerprint

    fingerprint = str(fetch_fingerprint(url))
    tell(f"{url} shows a certificate with SHA-256 fingerprint\n  {fingerprint}")
    tell("Compare it with the one in the node's own UI under System → Certificates.")
    if choice.assume_yes or (interactive() and confirm("Trust this certificate?")):
        return Trust("fingerprint", fingerprint)
    raise CommandRefused(
        "cannot trust the certificate: nobody agreed",
        f"compare, then add the context with --fingerprint {fingerprint}",
    )


async def check_connection(context: Context) -> str:
    """Log in once and return the server's version.

    Raises:
        CommandRefused: The token's variable is not set.
        PveError: The server cannot be reached, is not trusted or does not know the token.
    """
    if context.token_env and not os.environ.get(context.token_env):
        raise CommandRefused(
            f"cannot check the connection: ${context.token_env} is not set",
            "set it, or save without trying: --no-check",
        )
    async with connect(context) as client:
        version = await client.version.get()
    return str(version.version)
