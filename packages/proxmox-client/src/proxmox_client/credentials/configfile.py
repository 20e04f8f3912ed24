"""The file of named clusters: where each is, whom to trust there, how to log in.

`$PMPC_CONFIG`, or `pmpc/config.yaml` below the user's configuration folder; `pmpc context` writes
the same file.

    version: 1
    current: home
    contexts:
      home:
        url: https://pve1:8006            # or several: [pve1, pve2, pve3]
        token: root@pam!pmpc=00000000-0000-0000-0000-000000000000
        # or token_env: NAME_OF_A_VARIABLE
        # or user: root@pam, and password: …; without it, or with a token's name, the keyring
        tls: system                       # or first-use, {ca: /path}, {fingerprint: "AA:BB:…"}
        proxy: http://proxy:3128
        timeout: 30
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast

import attrs

from proxmox_client.credentials.privatefile import read_private
from proxmox_client.errors import CredentialsInvalid

FORMAT_VERSION: Final = 1
_TEXTS: Final = ("token", "token_env", "user", "password", "proxy", "state")
KEYS: Final = frozenset({"url", "tls", "timeout", *_TEXTS})
TrustKind: TypeAlias = Literal["system", "first-use", "ca", "fingerprint"]
_WORDS: Final[Mapping[str, TrustKind]] = {"system": "system", "first-use": "first-use"}
_NAMED: Final[Mapping[str, TrustKind]] = {"ca": "ca", "fingerprint": "fingerprint"}


class ConfigInvalid(CredentialsInvalid):
    """The file of named clusters cannot be understood, or lacks the one asked for."""


@attrs.frozen
class Entry:
    """One named cluster, as the file describes it.

    Attributes:
        name: The name people use.
        urls: Addresses, at least one.
        token: API token; never shown by `repr`.
        token_env: Name of a variable that holds the token.
        user: `name@realm`, or a token's name `name@realm!token`, for the keyring.
        password: The user's password; never shown by `repr`.
        tls: Whom to trust: `system`, `first-use`, or `ca` and `fingerprint` with a value.
        tls_value: The path or the fingerprint.
        proxy: URL of a proxy.
        timeout: Seconds without a byte of an answer.
        state: URL of a state database: for those above the client.
    """

    name: str
    urls: tuple[str, ...]
    token: str | None = attrs.field(default=None, repr=False)
    token_env: str | None = None
    user: str | None = None
    password: str | None = attrs.field(default=None, repr=False)
    tls: TrustKind = "system"
    tls_value: str = ""
    proxy: str | None = attrs.field(default=None, repr=False)
    timeout: float | None = None
    state: str | None = attrs.field(default=None, repr=False)


@attrs.frozen
class ConfigFile:
    """The whole file as a value.

    Attributes:
        entries: Clusters by name, in the file's order.
        current: Name of the chosen one.
    """

    entries: Mapping[str, Entry] = attrs.field(factory=dict[str, Entry])
    current: str | None = None


def config_path(environ: Mapping[str, str] | None = None) -> Path:
    """Return where the file is: `$PMPC_CONFIG`, else the user's own folder."""
    given = (os.environ if environ is None else environ).get("PMPC_CONFIG")
    if given:
        return Path(given).expanduser()
    import platformdirs  # only where the file is looked for

    return Path(platformdirs.user_config_dir("pmpc")) / "config.yaml"


def load_config(path: Path) -> ConfigFile:
    """Read the file; a missing file is an empty one.

    Raises:
        CredentialsExposed: Others can read it.
        ConfigInvalid: It is not understood. No message holds a secret.
    """
    try:
        text = read_private(path)
    except FileNotFoundError:
        return ConfigFile()
    except (OSError, UnicodeDecodeError) as error:
        words = getattr(error, "strerror", None) or "it is no text"
        raise ConfigInvalid(f"cannot read {path}: {words}") from None
    import yaml

    try:
        document: object = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:  # its own words show the line, which may hold a token
        mark = error.problem_mark
        where = f" in line {mark.line + 1}" if mark is not None else ""
        raise ConfigInvalid(f"cannot read {path}: not YAML{where}: {error.problem}") from None
    except yaml.YAMLError:
        raise ConfigInvalid(f"cannot read {path}: not YAML") from None
    try:
        return _parse(document)
    except ConfigInvalid as error:
        raise ConfigInvalid(f"cannot read {path}: {error.why}") from None


def _parse(document: object) -> ConfigFile:
    if document is None:
        return ConfigFile()
    if not isinstance(document, dict):
        raise ConfigInvalid("expected a mapping at the top")
    top = cast("dict[str, object]", document)
    version = top.get("version", FORMAT_VERSION)
    if version != FORMAT_VERSION:
        raise ConfigInvalid(f"version {version!r} is not {FORMAT_VERSION}")
    listed: object = top.get("contexts") or {}
    if not isinstance(listed, dict):
        raise ConfigInvalid("`contexts` must map names to clusters")
    entries = {
        str(name): _parse_entry(str(name), fields)
        for name, fields in cast("dict[object, object]", listed).items()
    }
    current = top.get("current")
    if current is not None and current not in entries:
        raise ConfigInvalid(f"current context {current!r} is not in it")
    return ConfigFile(entries, None if current is None else str(current))


def _parse_entry(name: str, described: object) -> Entry:
    fields = cast("dict[str, Any]", described) if isinstance(described, dict) else {}
    url: object = fields.get("url")
    urls = tuple(cast("list[object]", url)) if isinstance(url, list) else (url,)
    if not urls or not all(isinstance(one, str) and one for one in urls):
        raise ConfigInvalid(f"context {name!r} needs a `url`")
    unknown = sorted(str(key) for key in fields.keys() - KEYS)
    if unknown:
        raise ConfigInvalid(f"context {name!r} has unknown {unknown}")
    for key in _TEXTS:
        if not isinstance(fields.get(key, ""), str):
            raise ConfigInvalid(f"context {name!r}: `{key}` must be text")
    timeout: object = fields.get("timeout")
    if timeout is not None and (isinstance(timeout, bool) or not isinstance(timeout, (int, float))):
        raise ConfigInvalid(f"context {name!r}: `timeout` must be a number of seconds")
    kind, value = _parse_trust(name, fields.get("tls", "system"))
    texts: dict[str, str | None] = {key: fields.get(key) for key in _TEXTS}
    return Entry(
        name=name,
        urls=tuple(str(one) for one in urls),
        tls=kind,
        tls_value=value,
        timeout=None if timeout is None else float(timeout),
        **texts,
    )


def _parse_trust(name: str, said: object) -> tuple[TrustKind, str]:
    if isinstance(said, str) and said in _WORDS:
        return _WORDS[said], ""
    if isinstance(said, dict) and len(cast("dict[object, object]", said)) == 1:
        ((kind, value),) = cast("dict[str, object]", said).items()
        if kind in _NAMED and isinstance(value, str):
            return _NAMED[kind], value
    raise ConfigInvalid(
        f"context {name!r}: `tls` is `system`, `first-use`, `{{ca: PATH}}` or "
        f"`{{fingerprint: SHA256}}`; checks cannot be switched off"
    )
