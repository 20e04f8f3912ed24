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
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

import attrs

from pmpc_reconcile.errors import (
    ContextFileExposed,
    ContextInvalid,
    ContextNotFound,
)

if TYPE_CHECKING:
    from proxmox_client import AsyncClient

FORMAT_VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_KEYS = frozenset({"url", "token", "token_env", "tls", "state"})


@attrs.frozen
class Trust:
    """Whom to trust when the server shows its certificate.

    Attributes:
        kind: `system`, `ca` (a CA file) or `fingerprint` (one certificate, pinned).
        value: The path or the SHA-256 fingerprint; empty for `system`.
    """

    kind: Literal["system", "ca", "fingerprint"] = "system"
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
    """

    name: str
    url: str
    token: str | None = attrs.field(default=None, repr=lambda value: "'***'" if value else "None")
    token_env: str | None = None
    tls: Trust = Trust()
    state: str | None = None

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
    given = (os.environ if environ is None else environ).get("PMPC_CONFIG")
    if given:
        return Path(given).expanduser()
    import platformdirs

    return Path(platformdirs.user_config_dir("pmpc")) / "config.yaml"


def load_contexts(path: Path | None = None) -> Contexts:
    """Read the file; a missing file is an empty one.

    Args:
        path: The file; `contexts_path()` by default.

    Raises:
        ContextFileExposed: Others can read it.
        ContextInvalid: It is not understood.
    """
    where = path or contexts_path()
    try:
        text = _read_private(where)
    except FileNotFoundError:
        return Contexts()
    import yaml

    try:
        document: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ContextInvalid(f"cannot read {where}: not YAML: {error}") from error
    if document is None:
        return Contexts()
    return _parse(where, document)


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
    from proxmox_client import AsyncClient, CaFile, Pin, SystemTrust

    tls: Any
    if context.tls.kind == "ca":
        tls = CaFile(context.tls.value)
    elif context.tls.kind == "fingerprint":
        tls = Pin(context.tls.value)
    else:
        tls = SystemTrust()
    return AsyncClient(context.url, token=context.secret(environ), tls=tls)


def _data_folder() -> Path:
    import platformdirs

    return Path(platformdirs.user_data_dir("pmpc"))


def _read_private(where: Path) -> str:
    with where.open(encoding="utf-8") as stream:
        mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
        if os.name == "posix" and mode & 0o077:
            raise ContextFileExposed(str(where), mode)
        return stream.read()


def _parse(where: Path, document: object) -> Contexts:
    if not isinstance(document, dict):
        raise ContextInvalid(f"cannot read {where}: expected a mapping at the top")
    top = cast("dict[str, object]", document)
    version = top.get("version", FORMAT_VERSION)
    if version != FORMAT_VERSION:
        raise ContextInvalid(f"cannot read {where}: version {version!r} is not {FORMAT_VERSION}")
    entries: object = top.get("contexts") or {}
    if not isinstance(entries, dict):
        raise ContextInvalid(f"cannot read {where}: `contexts` must map names to clusters")
    items = {
        str(name): _parse_one(where, str(name), entry)
        for name, entry in cast("dict[object, object]", entries).items()
    }
    current = top.get("current")
    if current is not None and current not in items:
        raise ContextInvalid(f"cannot read {where}: current context {current!r} is not in it")
    return Contexts(items, None if current is None else str(current))


def _parse_one(where: Path, name: str, entry: object) -> Context:
    if not isinstance(entry, dict) or not isinstance(
        cast("dict[str, object]", entry).get("url"), str
    ):
        raise ContextInvalid(f"cannot read {where}: context {name!r} needs a `url`")
    fields = cast("dict[str, Any]", entry)
    unknown = sorted(str(key) for key in fields.keys() - _KEYS)
    if unknown:
        raise ContextInvalid(f"cannot read {where}: context {name!r} has unknown {unknown}")
    for key in ("token", "token_env", "state"):
        if not isinstance(fields.get(key, ""), str):
            raise ContextInvalid(f"cannot read {where}: context {name!r}: `{key}` must be text")
    return Context(
        name=check_name(name),
        url=fields["url"],
        token=fields.get("token"),
        token_env=fields.get("token_env"),
        tls=_parse_tls(where, name, fields.get("tls", "system")),
        state=fields.get("state"),
    )


def _parse_tls(where: Path, name: str, entry: object) -> Trust:
    if entry == "system":
        return Trust()
    if isinstance(entry, dict) and len(cast("dict[object, object]", entry)) == 1:
        ((kind, value),) = cast("dict[object, object]", entry).items()
        if kind == "ca" and isinstance(value, str):
            return Trust("ca", value)
        if kind == "fingerprint" and isinstance(value, str):
            return Trust("fingerprint", value)
    raise ContextInvalid(
        f"cannot read {where}: context {name!r}: `tls` is `system`, `{{ca: PATH}}` or "
        f"`{{fingerprint: SHA256}}`; checks cannot be switched off"
    )


def _dump(context: Context) -> dict[str, object]:
    tls: object = (
        "system" if context.tls.kind == "system" else {context.tls.kind: context.tls.value}
    )
    fields: dict[str, object] = {"url": context.url}
    if context.token:
        fields["token"] = context.token
    if context.token_env:
        fields["token_env"] = context.token_env
    fields["tls"] = tls
    if context.state:
        fields["state"] = context.state
    return fields
