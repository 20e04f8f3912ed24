"""Deciding between what arguments, environment, file and keyring say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from proxmox_client.credentials.configfile import (
    ConfigFile,
    ConfigInvalid,
    Entry,
    config_path,
    load_config,
)
from proxmox_client.credentials.environment import Environment, read_environment
from proxmox_client.credentials.keyring import look_up
from proxmox_client.errors import CredentialsInvalid
from proxmox_client.transport.endpoint import Endpoint
from proxmox_client.transport.tls import CaFile, FirstUse, Pin, SystemTrust, Trust
from proxmox_client.values.login import Login, PasswordLogin
from proxmox_client.values.token import ApiToken, as_token

_OURS: Final = ("url", "token", "login", "user", "password", "otp", "tls", "proxy", "timeout")
_NOTHING: Final = Environment()


def find_options(
    given: Mapping[str, Any], environ: Mapping[str, str], context: str | None = None
) -> dict[str, Any]:
    """Return a client's arguments from wherever they are told.

    Args:
        given: Arguments, which go before everything else: those of `Client`, and `user` with
            `password` (and `otp`) instead of `login`.
        environ: The environment.
        context: A name in the file of clusters. As an argument it goes before what the
            environment says about servers and credentials.

    Raises:
        CredentialsExposed: The file is open to others.
        CredentialsInvalid: No server or no credentials are told, or they contradict each other.
        ValueError: An address, a token or a user is none. No message holds a secret.
    """
    said = read_environment(environ)
    if context is not None:
        said = Environment(proxy=said.proxy, timeout=said.timeout)
    urls = _urls(given.get("url")) or said.urls
    entry = _entry(urls, context or said.context, config_path(environ))
    if not urls and entry is None:
        advice = f"Set PMPC_URL, or describe a cluster in {config_path(environ)}."
        raise CredentialsInvalid("no server is told", advice)
    urls = urls or (entry.urls if entry is not None else ())
    options = {name: value for name, value in given.items() if name not in _OURS}
    options |= _credentials(given, said, entry, environ, urls)
    trust = given.get("tls") or _trust_said(said) or (entry and _trust_told(entry))
    for name, value in (
        ("url", urls[0] if len(urls) == 1 else list(urls)),
        ("tls", trust),
        ("proxy", given.get("proxy") or said.proxy or (entry and entry.proxy)),
        ("timeout", given.get("timeout") or said.timeout or (entry and entry.timeout)),
    ):
        if value is not None:
            options[name] = value
    return options


def options_of(entry: Entry, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return a client's arguments for an entry of the file, with the keyring behind it.

    Raises:
        CredentialsInvalid: It has no credentials, nor has the keyring.
        ValueError: Its token or user is none.
    """
    options = _credentials({}, _NOTHING, entry, environ, entry.urls)
    options["url"] = entry.urls[0] if len(entry.urls) == 1 else list(entry.urls)
    options["tls"] = _trust_told(entry)
    if entry.proxy is not None:
        options["proxy"] = entry.proxy
    if entry.timeout is not None:
        options["timeout"] = entry.timeout
    return options


def _urls(given: str | Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _entry(urls: Sequence[str], name: str | None, path: Path) -> Entry | None:
    """Choose the file's entry: by its name, by its address, else the current one."""
    config = load_config(path)
    if name is not None:
        return _named(config, name, urls, path)
    if not urls:
        return None if config.current is None else config.entries[config.current]
    asked = Endpoint.parse(urls[0])
    return next((entry for entry in config.entries.values() if _covers(entry, asked)), None)


def _named(config: ConfigFile, name: str, urls: Sequence[str], path: Path) -> Entry:
    entry = config.entries.get(name)
    if entry is None:
        known = ", ".join(config.entries) or "none"
        raise ConfigInvalid(f"there is no context {name!r} in {path}; known: {known}")
    if urls and not _covers(entry, Endpoint.parse(urls[0])):
        why = f"{urls[0]} is not the address of context {name!r}, whose credentials are its own"
        raise CredentialsInvalid(why, "Give one of the two.")
    return entry


def _covers(entry: Entry, asked: Endpoint) -> bool:
    return any(Endpoint.parse(url) == asked for url in entry.urls)


def _credentials(
    given: Mapping[str, Any],
    said: Environment,
    entry: Entry | None,
    environ: Mapping[str, str],
    urls: Sequence[str],
) -> dict[str, Any]:
    """Return `token` or `login`: the first place that has either."""
    otp = given.get("otp")
    if given.get("token") is not None or given.get("login") is not None:
        return {name: given[name] for name in ("token", "login") if given.get(name) is not None}
    user: str | None = given.get("user") or said.user or (entry.user if entry else None)
    if given.get("password") is not None:
        return {"login": _login(user, given["password"], otp)}
    if said.token is not None and given.get("user") is None:
        return {"token": ApiToken.parse(said.token)}
    if said.password is not None:
        return {"login": _login(given.get("user") or said.user, said.password, otp)}
    if entry is not None and given.get("user") is None and said.user is None:
        token = _token_told(entry, environ)
        if token is not None:
            return {"token": token}
    if entry is not None and entry.password is not None and user == entry.user:
        return {"login": _login(user, entry.password, otp)}
    return _from_keyring(urls, user, otp)


def _token_told(entry: Entry, environ: Mapping[str, str]) -> ApiToken | None:
    if entry.token is not None:
        return ApiToken.parse(entry.token)
    if entry.token_env is None:
        return None
    value = environ.get(entry.token_env, "")
    if not value:
        why = f"context {entry.name!r} takes its token from ${entry.token_env}, which is not set"
        raise CredentialsInvalid(why)
    return ApiToken.parse(value)


def _from_keyring(urls: Sequence[str], user: str | None, otp: Any) -> dict[str, Any]:
    servers = [str(Endpoint.parse(url)) for url in urls]
    found = look_up(servers, user)
    if not found.secret:
        who = f"{user} at {servers[0]}" if user else servers[0]
        note = found.why_not or f"the keyring has none under the service 'pmpc {servers[0]}'"
        raise CredentialsInvalid(
            f"no credentials for {who} are told; {note}",
            "Neither PMPC_TOKEN nor PMPC_USER and PMPC_PASSWORD are set; the file of named "
            "clusters and the keyring are other places for them.",
        )
    if "!" not in found.account:
        return {"login": _login(found.account, found.secret, otp)}
    if found.secret.startswith(f"{found.account}="):
        return {"token": as_token(found.secret)}
    return {"token": ApiToken.parse(f"{found.account}={found.secret}")}


def _login(user: str | None, password: str, otp: Any) -> Login:
    if not user:
        raise CredentialsInvalid("there is a password, but nobody says whose", "Set PMPC_USER.")
    return PasswordLogin(user, password, otp)


def _trust_said(said: Environment) -> Trust | None:
    if said.fingerprint is not None:
        return Pin(said.fingerprint)
    if said.ca_file is not None:
        return CaFile(said.ca_file)
    if said.tls is not None:
        return FirstUse() if said.tls == "first-use" else SystemTrust()
    return None


def _trust_told(entry: Entry) -> Trust:
    match entry.tls:
        case "ca":
            return CaFile(Path(entry.tls_value).expanduser())
        case "fingerprint":
            return Pin(entry.tls_value)
        case "first-use":
            return FirstUse()
        case "system":
            return SystemTrust()
