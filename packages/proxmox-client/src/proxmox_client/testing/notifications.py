"""Notifications: where they can go, which of them go there, and sending them.

Nothing leaves the simulator: what is sent lies in `Outside.mailboxes`.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any

import attrs

from proxmox_client.testing import sections
from proxmox_client.testing.request import PveFault

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

FILE = "notifications"
KINDS = ("sendmail", "gotify", "smtp", "webhook")
SEVERITIES = ("info", "notice", "warning", "error", "unknown")
BUILT_IN: dict[str, dict[str, Any]] = {
    "mail-to-root": {
        "type": "sendmail",
        "mailto-user": ["root@pam"],
        "comment": "Send mails to root@pam's email address",
    },
    "default-matcher": {
        "type": "matcher",
        "mode": "all",
        "target": ["mail-to-root"],
        "comment": "Route all notifications to mail-to-root",
    },
}
_FIELD = re.compile(r"(exact|regex):([^=]+)=(.*)")


@attrs.frozen
class Notification:
    """Something to tell.

    Attributes:
        severity: ``info``, ``notice``, ``warning``, ``error`` or ``unknown``.
        title: First line.
        fields: What matchers look at: ``type``, ``hostname``, ``job-id``.
    """

    severity: str
    title: str
    fields: dict[str, str]


def entries(cluster: SimulatedCluster) -> dict[str, dict[str, Any]]:
    """Return endpoints and matchers by name, what PVE ships with included."""
    return {**BUILT_IN, **sections.entries(cluster, FILE)}


def origin(cluster: SimulatedCluster, name: str) -> str:
    """Say where an entry comes from."""
    stored = sections.entries(cluster, FILE)
    if name not in BUILT_IN:
        return "user-created"
    return "modified-builtin" if name in stored else "builtin"


def send(cluster: SimulatedCluster, message: Notification) -> None:
    """Send a notification to the targets of every matcher that matches; failures are lost."""
    targets: dict[str, None] = {}
    for entry in entries(cluster).values():
        if entry["type"] == "matcher" and not entry.get("disable") and matches(entry, message):
            targets |= dict.fromkeys(entry.get("target", ()))
    for name in targets:
        try:
            deliver(cluster, name, message)
        except PveFault:
            continue


def matches(matcher: dict[str, Any], message: Notification) -> bool:
    """Whether a matcher takes a notification; one without conditions takes all."""
    results = [
        message.severity in [part.strip() for part in text.split(",")]
        for text in matcher.get("match-severity", ())
    ]
    results += [_field_matches(text, message) for text in matcher.get("match-field", ())]
    fits = (any if matcher.get("mode") == "any" else all)(results) if results else True
    return fits != bool(matcher.get("invert-match"))


def _field_matches(text: str, message: Notification) -> bool:
    found = _FIELD.fullmatch(text)
    if found is None:
        return False
    kind, name, wanted = found.groups()
    value = message.fields.get(name)
    if value is None:
        return False
    if kind == "exact":
        return value in [part.strip() for part in wanted.split(",")]
    return re.search(wanted, value) is not None


def check_matcher(options: dict[str, Any]) -> None:
    """Refuse conditions that cannot be read.

    Raises:
        PveFault: Status 500, as the parser's errors come through as they are.
    """
    for text in options.get("match-severity", ()):
        for part in text.split(","):
            if part.strip() not in SEVERITIES:
                raise PveFault(500, f"unrecognized severity {part.strip()}")
    for text in options.get("match-field", ()):
        found = _FIELD.fullmatch(text)
        if found is None:
            raise PveFault(500, f"invalid match-field statement: {text}")
        if found[1] == "regex":
            try:
                re.compile(found[3])
            except re.error:
                raise PveFault(500, f"invalid match-field statement: {text}") from None


def deliver(cluster: SimulatedCluster, name: str, message: Notification) -> None:
    """Bring a notification to one target.

    Raises:
        PveFault: There is no such target, or its server does not answer.
    """
    entry = entries(cluster).get(name)
    if entry is None or entry["type"] == "matcher":
        raise PveFault(404, f"endpoint '{name}' does not exist")
    row = {"severity": message.severity, "title": message.title, "target": name}
    row |= message.fields
    mailboxes = cluster.outside.mailboxes
    if entry["type"] in ("sendmail", "smtp"):
        _require_server(cluster, name, entry)
        for address in _recipients(cluster, entry):
            mailboxes.setdefault(address, []).append(row)
        return
    _require_server(cluster, name, entry)
    mailboxes[_url(entry)].append(row)


def _url(entry: dict[str, Any]) -> str:
    return str(entry["server"] if entry["type"] == "gotify" else entry["url"])


def _require_server(cluster: SimulatedCluster, name: str, entry: dict[str, Any]) -> None:
    kind = entry["type"]
    if kind == "sendmail":
        return
    where = str(entry["server"]) if kind == "smtp" else _url(entry)
    if where not in cluster.outside.mailboxes:
        cause = "Connection error" if kind == "smtp" else "error sending request"
        text = f"could not notify via endpoint(s): {name}: {cause}: Connection refused"
        raise PveFault(500, f"Could not test target: {text}")


def _recipients(cluster: SimulatedCluster, entry: dict[str, Any]) -> list[str]:
    found = list(entry.get("mailto", ()))
    for userid in entry.get("mailto-user", ()):
        user = cluster.access.users.get(userid)
        address = user.fields.get("email") if user else None
        found.append(address or userid.partition("@")[0])
    return found


def secret_names(secrets: list[str]) -> list[str]:
    """Return only the names of secrets, as PVE shows them."""
    return [f"name={part['name']}" for part in map(_parts, secrets)]


def check_secrets(values: list[str]) -> None:
    """Refuse headers and secrets that are no ``name=…,value=BASE64``.

    Raises:
        PveFault: Status 500.
    """
    for text in values:
        try:
            base64.b64decode(_parts(text)["value"], validate=True)
        except (KeyError, binascii.Error):
            raise PveFault(500, "could not decode property: invalid base64") from None


def _parts(text: str) -> dict[str, str]:
    return {key: value for key, _, value in (part.partition("=") for part in text.split(","))}
