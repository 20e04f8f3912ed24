"""Certificates by ACME: accounts, plugins, and ordering from an authority out there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import nodecertificates, sections
from proxmox_client.testing.outside import CertificateAuthority
from proxmox_client.testing.request import PveFault
from proxmox_client.testing.tasks import TaskFailed, TaskRecord

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.state import Node

PLUGINS = "acme-plugins"
DEFAULT = "https://acme-v02.api.letsencrypt.org/directory"
DIRECTORIES = (
    ("Let's Encrypt V2", DEFAULT),
    ("Let's Encrypt V2 Staging", "https://acme-staging-v02.api.letsencrypt.org/directory"),
)
_DOMAINS = 5


def accounts(cluster: SimulatedCluster) -> dict[str, dict[str, Any]]:
    """Return the accounts by name."""
    found: dict[str, dict[str, Any]] = cluster.files.setdefault("acme-accounts", {})
    return found


def authority(cluster: SimulatedCluster, directory: str) -> CertificateAuthority:
    """Return the authority behind a directory.

    Raises:
        PveFault: Status 500: it cannot be reached.
    """
    found = cluster.outside.authorities.get(directory)
    if found is None:
        host = directory.split("/")[2]
        raise PveFault(
            500,
            f"Error: GET to {directory}\nCan't connect to {host}:443 (Name or service not known)"
            "\n\nName or service not known at /usr/share/perl5/LWP/Protocol/http.pm line 50.\n",
        )
    return found


def domains(cluster: SimulatedCluster, node: Node) -> tuple[str, dict[str, str]]:
    """Return the account a node orders with, and the plugin of each domain.

    Raises:
        PveFault: There are no domains, one stands there twice, or a plugin is unknown.
    """
    config: dict[str, str] = node.files.get("config", {})
    names = [f"acmedomain{number}" for number in range(_DOMAINS + 1)]
    if "acme" not in config and not any(name in config for name in names):
        where = "/usr/share/perl5/PVE/API2/ACME.pm line 195."
        raise PveFault(500, f"Can't use an undefined value as a HASH reference at {where}")
    general = _parts(config.get("acme", ""), "account")
    plugins = {name.lower(): "standalone" for name in general.get("domains", "").split(";") if name}
    known = sections.entries(cluster, PLUGINS)
    for key in names:
        if key not in config:
            continue
        entry = _parts(config[key], "domain")
        domain, plugin = entry["domain"].lower(), entry.get("plugin", "standalone")
        if domain in plugins:
            raise PveFault(
                500, f"duplicate domain '{domain}' in ACME config properties '{key}' and 'acme'"
            )
        if plugin != "standalone" and plugin not in known:
            raise PveFault(500, f"plugin '{plugin}' for domain '{domain}' not found!")
        plugins[domain] = plugin
    if not plugins:
        raise PveFault(400, "ACME domain list in node configuration is missing!", newline=False)
    return general.get("account", "default"), plugins


def _parts(text: str, default: str) -> dict[str, str]:
    parts = (part.partition("=") for part in text.split(",") if part)
    return {(key if equals else default): value if equals else key for key, equals, value in parts}


def order(
    cluster: SimulatedCluster, node: Node, account: str, plugins: dict[str, str], task: TaskRecord
) -> Iterator[float]:
    """Order a certificate and put it before the web interface.

    Raises:
        TaskFailed: The account is missing or inactive, or a domain is not proven.
    """
    known = _loaded(cluster, account, task)
    server = authority(cluster, known["directory"])
    task.log("Placing ACME order")
    number = task.upid.pid
    base = known["directory"].rpartition("/")[0]
    task.log(f"Order URL: {base}/order/{number}")
    yield 1.0
    for domain, plugin in plugins.items():
        url = f"{base}/authz/{number}/{domain}"
        task.log(f"\nGetting authorization details from '{url}'")
        task.log(f"The validation for {domain} is pending!")
        entry = sections.entries(cluster, PLUGINS).get(plugin, {})
        if plugin != "standalone":
            yield float(entry.get("validation-delay", 30))
        task.log("Triggering validation\nSleeping for 5 seconds")
        yield 5.0
        if domain in server.refused or entry.get("disable"):
            raise TaskFailed(f"validating challenge '{url}' failed - status: invalid")
        task.log(f"Status is 'valid', domain '{domain}' OK!")
    task.log("\nAll domains validated!\n\nCreating CSR\nChecking order status")
    task.log("Order is ready, finalizing order")
    yield 5.0
    task.log("valid!\n\nDownloading certificate\nSetting pveproxy certificate and key")
    name = base.split("/")[2]
    now = cluster.clock.now()
    node.files["certificate"] = nodecertificates.issued(list(plugins), name, now)
    task.log("Restarting pveproxy")


def revoke(
    cluster: SimulatedCluster, node: Node, account: str, task: TaskRecord
) -> Iterator[float]:
    """Revoke the certificate and go back to the node's own.

    Raises:
        TaskFailed: The account is missing.
    """
    authority(cluster, _loaded(cluster, account, task)["directory"])
    task.log("Revoking old certificate")
    yield 1.0
    task.log("Deleting certificate files")
    node.files.pop("certificate", None)
    task.log("Restarting pveproxy to revert to self-signed certificates")


def _loaded(cluster: SimulatedCluster, account: str, task: TaskRecord) -> dict[str, Any]:
    known = accounts(cluster).get(account)
    if known is None:
        raise TaskFailed(f"ACME account config file '{account}' does not exist.")
    task.log("Loading ACME account details")
    return known
