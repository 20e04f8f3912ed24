"""Named clusters: where each one is, how to log in, whom to trust, where its state is kept.

One YAML file, `$PMPC_CONFIG` or `pmpc/config.yaml` below the user's configuration folder. It may
hold API tokens, so it is written with mode 0600 and refused when others can read it.

    version: 1
    current: home
    contexts:
      home:
        url: https://192.0.2.10:8006
        token: root@pam!pmpc=00000000-0000-0000-0000-000000000000   # or token_env: PVE_TOKEN
        tls: system                       # or {ca: /path} or {fingerprint: "AA:BB:…"}
        state: sqlite:////home/me/.local/share/pmpc/home.db          # optional

What the file may say about servers and credentials is the client's business
(`proxmox_client.credentials`), and so is reading it.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.errors import (
    ContextFileExposed,
    ContextInvalid,
    ContextNotFound,
)

if TYPE_CHECKING:
    from proxmox_client import AsyncClient
    from proxmox_client.credentials.configfile import Entry, TrustKind

FORMAT_VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@attrs.frozen
class Trust:
    """Whom to trust when the server shows its certificate.

    Attributes:
        kind: `system`, `first-use`, `ca` (a CA file) or `fingerprint` (one certificate, pinned).
        value: The path or the SHA-256 fingerprint; empty for the first two.
    """

    kind: TrustKind = "system"
    value: str = ""


@attrs.frozen
class Context:
    """One named cluster.

    Attributes:
        name: The name people use; also the cluster's name in the state database.
        url: Address of the API, such as `https://pve1:8006`.
        token: API token `USER@REALM!ID=SECRET`; never shown by `repr`.
        token_env: Name of an environment variable that holds the token instead.
        tls: Whom to trust.
        state: URL of the state database; None for the default SQLite file.
        more_urls: Addresses of other nodes, asked when the first cannot be reached.
        user: Instead of a token: `name@realm`, or a token's name for the keyring.
        password: That user's; without it the keyring is asked.
        proxy: URL of a proxy.
        timeout: Seconds without a byte of an answer.
    """

    name: str
    url: str
    token: str | None = attrs.field(default=None, repr=lambda value: "'***'" if value else "None")
    token_env: str | None = None
    tls: Trust = Trust()
    state: str | None = None
    more_urls: tuple[str, ...] = ()
    user: str | None = None
    password: str | None = attrs.field(default=None, repr=False)
    proxy: str | None = attrs.field(default=None, repr=False)
    timeout: float | None = None

    def secret(self, environ: Mapping[str, str] | None = None) -> str:
        """Return the API token.

        Args:
            environ: The environment; the process's own by default.

        Raises:
            ContextInvalid: There is no token, or its variable is not set.
        """
        if self.token:
            return self.token
        if self.token_env is None:
            raise ContextInvalid(
                f"context {self.name!r} has no token; add one with `pmpc context add "
                f"{self.name} {self.url} --token …` or name a variable with `--token-env`"
            )
        value = (os.environ if environ is None else environ).get(self.token_env, "")
        if not value:
            raise ContextInvalid(
                f"context {self.name!r} takes its token from ${self.token_env}, which is not set"
            )
        return value

    def state_url(self) -> str:
        """Return the URL of the state database, the default file's if none was given."""
        return self.state or f"sqlite:///{_data_folder() / (self.name + '.db')}"


@attrs.frozen
class Contexts:
    """The whole file as a value.

    Attributes:
        items: Contexts by name, in the file's order.
        current: Name of the chosen one.
    """

    items: Mapping[str, Context] = attrs.field(factory=dict[str, Context])
    current: str | None = None

    def get(self, name: str | None = None) -> Context:
        """Return a context, the current one by default.

        Raises:
            ContextNotFound: No such context, or none is current.
        """
        wanted = name if name is not None else self.current
        if wanted is None or wanted not in self.items:
            raise ContextNotFound(wanted, tuple(self.items))
        return self.items[wanted]

    def with_context(self, context: Context, *, use: bool = False) -> Contexts:
        """Return a copy that has this context; the first one becomes current by itself."""
        items = {**self.items, context.name: context}
        current = context.name if use or self.current is None else self.current
        return Contexts(items, current)

    def without(self, name: str) -> Contexts:
        """Return a copy that lacks this context.

        Raises:
            ContextNotFound: No such context.
        """
        self.get(name)
        items = {key: value for key, value in self.items.items() if key != name}
        return Contexts(items, None if self.current == name else self.current)

    def using(self, name: str) -> Contexts:
        """Return a copy in which this context is current.

        Raises:
            ContextNotFound: No such context.
        """
        self.get(name)
        return Contexts(self.items, name)


def contexts_path(environ: Mapping[str, str] | None = None) -> Path:
    """Return where the file of named clusters is: `$PMPC_CONFIG`, else the user's own folder."""
    from proxmox_client.credentials import config_path

    return config_path(environ)


def load_contexts(path: Path | None = None) -> Contexts:
    """Read the file; a missing file is an empty one.

    Args:
        path: The file; `contexts_path()` by default.

    Raises:
        ContextFileExposed: Others can read it.
        ContextInvalid: It is not understood.
    """
    where = path or contexts_path()
    from proxmox_client.credentials import ConfigInvalid, load_config
    from proxmox_client.errors import CredentialsExposed

    try:
        config = load_config(where)
    except CredentialsExposed as error:
        raise ContextFileExposed(error) from error
    except ConfigInvalid as error:
        raise ContextInvalid(str(error)) from error
    return Contexts({name: _context(one) for name, one in config.entries.items()}, config.current)


def save_contexts(contexts: Contexts, path: Path | None = None) -> Path:
    """Write the file with mode 0600, all or nothing, and return where it is."""
    import yaml

    where = path or contexts_path()
    where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    document = {
        "version": FORMAT_VERSION,
        "current": contexts.current,
        "contexts": {name: _dump(item) for name, item in contexts.items.items()},
    }
    handle, temporary = tempfile.mkstemp(dir=where.parent, prefix=".config-")  # made with 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            yaml.safe_dump(document, stream, sort_keys=False, allow_unicode=True)
        Path(temporary).replace(where)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return where


def check_name(name: str) -> str:
    """Return the name if a context may have it.

    Raises:
        ContextInvalid: It may not.
    """
    if not _NAME.fullmatch(name):
        raise ContextInvalid(
            f"{name!r} cannot name a context: use letters, digits, dot, dash and underscore"
        )
    return name


def connect(context: Context, environ: Mapping[str, str] | None = None) -> AsyncClient:
    """Return a client for the context's cluster; nothing is sent yet.

    Raises:
        ContextInvalid: There is no token.
    """
    from proxmox_client import AsyncClient, CredentialsInvalid
    from proxmox_client.credentials import options_of

    if context.token_env is not None or context.user is None:
        context.secret(environ)  # says what is missing in the words of `pmpc context`
    try:
        return AsyncClient(
            **options_of(_entry(context), os.environ if environ is None else environ)
        )
    except CredentialsInvalid as error:
        raise ContextInvalid(str(error)) from error


def _data_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("pmpc"))


def _context(entry: Entry) -> Context:
    return Context(
        name=check_name(entry.name),
        url=entry.urls[0],
        token=entry.token,
        token_env=entry.token_env,
        tls=Trust(entry.tls, entry.tls_value),
        state=entry.state,
        more_urls=entry.urls[1:],
        user=entry.user,
        password=entry.password,
        proxy=entry.proxy,
        timeout=entry.timeout,
    )


def _entry(context: Context) -> Entry:
    from proxmox_client.credentials import Entry

    return Entry(
        name=context.name,
        urls=(context.url, *context.more_urls),
        token=context.token,
        token_env=context.token_env,
        user=context.user,
        password=context.password,
        tls=context.tls.kind,
        tls_value=context.tls.value,
        proxy=context.proxy,
        timeout=context.timeout,
        state=context.state,
    )


def _dump(context: Context) -> dict[str, object]:
    trust = context.tls
    fields: dict[str, object] = {
        "url": [context.url, *context.more_urls] if context.more_urls else context.url,
        "token": context.token,
        "token_env": context.token_env,
        "user": context.user,
        "password": context.password,
        "tls": {trust.kind: trust.value} if trust.value else trust.kind,
        "proxy": context.proxy,
        "timeout": context.timeout,
        "state": context.state,
    }
    return {key: value for key, value in fields.items() if value}
