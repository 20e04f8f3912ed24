"""ACME: accounts, plugins, authorities, and a node's certificates."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from importlib import resources
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import acme, nodecertificates, sections
from proxmox_client.testing.digest import check_digest
from proxmox_client.testing.formats import split_list
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_ACCOUNT = "/cluster/acme/account"
_ONE_ACCOUNT = f"{_ACCOUNT}/{{name}}"
_PLUGINS = "/cluster/acme/plugins"
_ONE_PLUGIN = f"{_PLUGINS}/{{id}}"
_CERTIFICATE = "/nodes/{node}/certificates/acme/certificate"
_DAYS_LEFT = 30 * 86400


# --- authorities ----------------------------------------------------------------------------


@handles("GET", "/cluster/acme/directories")
def directories(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List the authorities PVE knows by name."""
    return [{"name": name, "url": url} for name, url in acme.DIRECTORIES]


@handles("GET", "/cluster/acme/meta")
def meta(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Ask an authority about itself."""
    url = call.get("directory", acme.DEFAULT)
    found = acme.authority(cluster, url)
    row: dict[str, Any] = {"website": f"https://{url.split('/')[2]}"}
    if found.binding:
        row["externalAccountRequired"] = True
    return row | ({"termsOfService": found.terms} if found.terms else {})


@handles("GET", "/cluster/acme/tos")
def terms(cluster: SimulatedCluster, call: Call) -> str | None:
    """Ask an authority for its terms of service."""
    return acme.authority(cluster, call.get("directory", acme.DEFAULT)).terms or None


@functools.cache
def _services() -> dict[str, list[str]]:
    text = resources.files("proxmox_client.testing").joinpath("acme_dns.json").read_text()
    found: dict[str, list[str]] = json.loads(text)
    return found


@handles("GET", "/cluster/acme/challenge-schema")
def challenges(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the services of the domain name system plugins work with, and what they need."""
    rows: list[dict[str, Any]] = []
    for ident, (name, *fields) in _services().items():
        schema = {"fields": {field: {"type": "string"} for field in fields}} if fields else {}
        rows.append({"id": ident, "name": name, "type": "dns", "schema": schema})
    return rows


# --- accounts -------------------------------------------------------------------------------


def _account(cluster: SimulatedCluster, call: Call) -> tuple[str, dict[str, Any]]:
    name = call.get("name", "default")
    found = acme.accounts(cluster).get(name)
    if found is None:
        text = f"ACME account config file '{name}' does not exist."
        raise PveFault.parameters({"name": text})
    return name, found


def _contacts(call: Call) -> list[str]:
    return [f"mailto:{address}" for address in split_list(call.get("contact", ""))]


@handles("GET", _ACCOUNT)
def list_accounts(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List the accounts."""
    return [{"name": name} for name in sorted(acme.accounts(cluster))]


@handles("POST", _ACCOUNT)
def register(cluster: SimulatedCluster, call: Call) -> str:
    """Register an account with an authority."""
    name = call.get("name", "default")
    if name in acme.accounts(cluster):
        text = f"ACME account config file '{name}' already exists."
        raise PveFault.parameters({"name": text})
    directory = call.get("directory", acme.DEFAULT)

    def work(task: TaskRecord) -> Iterator[float]:
        task.log("Generating ACME account key..")
        yield 1.0
        task.log("Registering ACME account..")
        try:
            server = acme.authority(cluster, directory)
        except PveFault as fault:
            raise TaskFailed(f"Registration failed: {fault.message}") from None
        if server.terms and "tos_url" not in call:
            text = "Error: POST to new-account\nmust agree to terms of service"
            raise TaskFailed(f"Registration failed: {text}")
        if server.binding and "eab-kid" not in call:
            text = "Error: POST to new-account\nexternal account binding required"
            raise TaskFailed(f"Registration failed: {text}")
        yield 0.5
        location = f"{directory.rpartition('/')[0]}/acct/{task.upid.pid}"
        account = {"status": "valid", "contact": _contacts(call)}
        row = {"account": account, "directory": directory, "location": location}
        acme.accounts(cluster)[name] = row | (
            {"tos": call["tos_url"]} if "tos_url" in call else {}
        )  # fmt: skip
        task.log(f"Registration successful, account URL: '{location}'")

    return cluster.tasks.start(call.node, "acmeregister", work, user=call.identity.authid)


@handles("GET", _ONE_ACCOUNT)
def read_account(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return an account as the authority knows it."""
    return dict(_account(cluster, call)[1])


@handles("PUT", _ONE_ACCOUNT)
def update_account(cluster: SimulatedCluster, call: Call) -> str:
    """Tell the authority new contacts; without any only refresh what is known."""
    _, found = _account(cluster, call)

    def work(task: TaskRecord) -> None:
        acme.authority(cluster, found["directory"])
        if _contacts(call):
            found["account"]["contact"] = _contacts(call)

    kind = "acmeupdate" if _contacts(call) else "acmerefresh"
    return cluster.tasks.start(call.node, kind, work, user=call.identity.authid)


@handles("DELETE", _ONE_ACCOUNT)
def deactivate(cluster: SimulatedCluster, call: Call) -> str:
    """Deactivate an account and forget it."""
    name, found = _account(cluster, call)

    def work(task: TaskRecord) -> None:
        acme.authority(cluster, found["directory"])
        acme.accounts(cluster).pop(name, None)

    return cluster.tasks.start(call.node, "acmedeactivate", work, user=call.identity.authid)


# --- plugins --------------------------------------------------------------------------------


def _plugin_row(cluster: SimulatedCluster, name: str, entry: dict[str, Any]) -> dict[str, Any]:
    return {"plugin": name, **entry, "digest": sections.digest(cluster, acme.PLUGINS)}


def _plugins(cluster: SimulatedCluster) -> dict[str, dict[str, Any]]:
    return {"standalone": {"type": "standalone"}, **sections.entries(cluster, acme.PLUGINS)}


@handles("GET", _PLUGINS)
def list_plugins(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the plugins; the standalone one is always there."""
    return [
        _plugin_row(cluster, name, entry)
        for name, entry in _plugins(cluster).items()
        if call.get("type", entry["type"]) == entry["type"]
    ]


@handles("GET", _ONE_PLUGIN)
def read_plugin(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Return one plugin."""
    return _plugin_row(cluster, call["id"], _plugin(cluster, call["id"]))


def _plugin(cluster: SimulatedCluster, name: str) -> dict[str, Any]:
    entry = _plugins(cluster).get(name)
    if entry is None:
        raise PveFault(500, f"ACME plugin ID '{name}' does not exist")
    return entry


@handles("POST", _PLUGINS)
def create_plugin(cluster: SimulatedCluster, call: Call) -> None:
    """Make a plugin."""
    name = call["id"]
    if name in _plugins(cluster):
        raise PveFault(500, f"ACME plugin ID '{name}' already exists")
    if call["type"] == "dns" and "api" not in call:
        raise PveFault(500, "missing value for required option 'api'")
    sections.entries(cluster, acme.PLUGINS)[name] = sections.options(call.params, "id")


@handles("PUT", _ONE_PLUGIN)
def update_plugin(cluster: SimulatedCluster, call: Call) -> None:
    """Change a plugin."""
    digest = sections.digest(cluster, acme.PLUGINS)
    check_digest(call.sent.get("digest"), digest)
    _plugin(cluster, call["id"])
    if "api" in split_list(call.get("delete", "")):
        raise PveFault(500, "unable to delete required option 'api'")
    if call["id"] in sections.entries(cluster, acme.PLUGINS):
        sections.change(cluster, acme.PLUGINS, call["id"], call.params, "id")


@handles("DELETE", _ONE_PLUGIN)
def delete_plugin(cluster: SimulatedCluster, call: Call) -> None:
    """Remove a plugin; one that is not there is no error."""
    sections.entries(cluster, acme.PLUGINS).pop(call["id"], None)


# --- certificates ---------------------------------------------------------------------------


@handles("POST", _CERTIFICATE)
@handles("PUT", _CERTIFICATE)
def order(cluster: SimulatedCluster, call: Call) -> str:
    """Order a node's certificate, or (PUT) renew it."""
    node = cluster.nodes[call.node]
    there = nodecertificates.custom(node)
    renewing = call.route.method == "PUT"
    if not renewing and there and not call.get("force"):
        text = "Custom certificate exists but 'force' is not set."
        raise PveFault.parameters({"force": text})
    if renewing and there is None:
        text = "No current (custom) certificate found, please order a new certificate!"
        raise PveFault(500, text)
    late = there is not None and there["notafter"] - cluster.clock.now() < _DAYS_LEFT
    if renewing and not late and not call.get("force"):
        text = "Certificate does not expire within the next 30 days, and 'force' is not set."
        raise PveFault.parameters({"force": text})
    account, domains = acme.domains(cluster, node)

    def work(task: TaskRecord) -> Iterator[float]:
        yield from acme.order(cluster, node, account, domains, task)
        if renewing:
            task.log("Revoking old certificate")

    kind = "acmerenew" if renewing else "acmenewcert"
    return cluster.tasks.start(call.node, kind, work, user=call.identity.authid)


@handles("DELETE", _CERTIFICATE)
def revoke(cluster: SimulatedCluster, call: Call) -> str:
    """Revoke a node's certificate."""
    node = cluster.nodes[call.node]
    account, _ = acme.domains(cluster, node)
    if nodecertificates.custom(node) is None:
        path = f"/etc/pve/nodes/{call.node}/pveproxy-ssl.pem"
        raise PveFault(500, f"can't open '{path}' - No such file or directory")

    def work(task: TaskRecord) -> Iterator[float]:
        yield from acme.revoke(cluster, node, account, task)

    return cluster.tasks.start(call.node, "acmerevoke", work, user=call.identity.authid)
