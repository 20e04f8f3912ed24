"""Targets of notifications and the matchers that choose among them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxmox_client.testing import notifications, sections
from proxmox_client.testing.digest import GENERAL_MESSAGE
from proxmox_client.testing.notifications import FILE, KINDS, Notification
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_TOP = "/cluster/notifications"
_ENDPOINTS = f"{_TOP}/endpoints"
_SECRET = frozenset(("token", "password"))
_NEEDED = {
    "gotify": ("server", "token"),
    "smtp": ("server", "from-address"),
    "webhook": ("url", "method"),
}


@handles("GET", _TOP)
def index(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List what is below."""
    names = ("endpoints", "matchers", "targets", "matcher-fields", "matcher-field-values")
    return [{"name": name} for name in names]


@handles("GET", _ENDPOINTS)
def kinds(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List the kinds of endpoints."""
    return [{"name": name} for name in ("gotify", "sendmail", "smtp", "webhook")]


@handles("GET", f"{_TOP}/matcher-fields")
def fields(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List fields that can be matched."""
    return [{"name": name} for name in ("type", "hostname", "job-id")]


@handles("GET", f"{_TOP}/matcher-field-values")
def field_values(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List values fields can have."""
    types = ("package-updates", "fencing", "replication", "vzdump", "system-mail")
    rows = [{"value": name, "field": "type"} for name in types]
    jobs: dict[str, dict[str, Any]] = {}
    if cluster.access.allows(call.identity, "/", ["Sys.Audit"]):
        jobs |= cluster.files.get("jobs", {})
    jobs |= cluster.files.get("replication", {})
    for name, job in jobs.items():
        comment = {"comment": str(job["comment"])} if "comment" in job else {}
        rows.append({"value": name, "field": "job-id"} | comment)
    return rows + [{"value": name, "field": "hostname"} for name in cluster.nodes]


@handles("GET", f"{_TOP}/targets")
def targets(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List every endpoint, whatever its kind."""
    rows: list[dict[str, Any]] = []
    for name, entry in sorted(notifications.entries(cluster).items()):
        if entry["type"] in KINDS:
            shown = {key: entry[key] for key in ("comment", "disable") if key in entry}
            origin = notifications.origin(cluster, name)
            rows.append({"name": name, "type": entry["type"], "origin": origin} | shown)
    return rows


@handles("POST", f"{_TOP}/targets/{{name}}/test")
def test_target(cluster: SimulatedCluster, call: Call) -> None:
    """Send a message to one target."""
    host = {"hostname": call.via}
    notifications.deliver(cluster, call["name"], Notification("info", "Test notification", host))


# --- entries --------------------------------------------------------------------------------


def _kind(call: Call) -> str:
    part = call.route.path.removeprefix(f"{_TOP}/").split("/")
    return "matcher" if part[0] == "matchers" else part[1]


def _noun(kind: str) -> str:
    return "matcher" if kind == "matcher" else "endpoint"


def _find(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    kind = _kind(call)
    entry = notifications.entries(cluster).get(call["name"])
    if entry is None or entry["type"] != kind:
        raise PveFault(404, f"{_noun(kind)} '{call['name']}' not found")
    return entry


def _shown(name: str, entry: dict[str, Any]) -> dict[str, Any]:
    row = {key: value for key, value in entry.items() if key not in _SECRET and key != "type"}
    if "secret" in row:
        row["secret"] = notifications.secret_names(row["secret"])
    return {"name": name, **row}


def _check(cluster: SimulatedCluster, kind: str, entry: dict[str, Any]) -> None:
    if kind in ("sendmail", "smtp") and not (entry.get("mailto") or entry.get("mailto-user")):
        text = "must at least provide one recipient, either in mailto or in mailto-user"
        raise PveFault(400, text)
    if kind == "webhook":
        notifications.check_secrets([*entry.get("header", ()), *entry.get("secret", ())])
    if kind == "matcher":
        notifications.check_matcher(entry)
        known = notifications.entries(cluster)
        for target in entry.get("target", ()):
            if target not in known or known[target]["type"] == "matcher":
                raise PveFault(404, f"endpoint '{target}' does not exist")


def _register(kind: str, path: str) -> None:
    """Claim the five operations of one kind; they differ in nothing but their parameters."""
    handles("GET", path)(_list)
    handles("POST", path)(_create)
    handles("GET", f"{path}/{{name}}")(_read)
    handles("PUT", f"{path}/{{name}}")(_update)
    handles("DELETE", f"{path}/{{name}}")(_delete)


def _list(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    kind = _kind(call)
    return [
        _shown(name, entry) | {"origin": notifications.origin(cluster, name)}
        for name, entry in sorted(notifications.entries(cluster).items())
        if entry["type"] == kind
    ]


def _create(cluster: SimulatedCluster, call: Call) -> None:
    kind, name = _kind(call), call["name"]
    if name in notifications.entries(cluster):
        text = f"Cannot create '{name}', an entity with the same name already exists"
        raise PveFault(400, text)
    entry = sections.options(call.params, "name")
    _check(cluster, kind, entry)
    sections.entries(cluster, FILE)[name] = {"type": kind, **entry}


def _read(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    entry = _find(cluster, call)
    return _shown(call["name"], entry) | {"digest": sections.digest(cluster, FILE)}


def _update(cluster: SimulatedCluster, call: Call) -> None:
    kind, name = _kind(call), call["name"]
    changed = dict(_find(cluster, call))
    if call.get("digest") not in (None, sections.digest(cluster, FILE)):
        raise PveFault(400, GENERAL_MESSAGE)
    for key in call.get("delete", ()):
        if key in _NEEDED.get(kind, ()):
            raise PveFault(500, f"unknown variant `{key}`")
        changed.pop(key, None)
    changed |= sections.options(call.params, "name")
    _check(cluster, kind, changed)
    sections.entries(cluster, FILE)[name] = changed


def _delete(cluster: SimulatedCluster, call: Call) -> None:
    """Remove an entry; what PVE ships with is only set back."""
    name = call["name"]
    _find(cluster, call)
    users = sorted(
        other
        for other, entry in notifications.entries(cluster).items()
        if name in entry.get("target", ())
    )
    if users and name not in notifications.BUILT_IN:
        raise PveFault(400, f"cannot delete '{name}', referenced by: {', '.join(users)}")
    sections.entries(cluster, FILE).pop(name, None)


_register("matcher", f"{_TOP}/matchers")
for _endpoint in KINDS:
    _register(_endpoint, f"{_ENDPOINTS}/{_endpoint}")
