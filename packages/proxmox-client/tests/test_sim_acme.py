"""ACME in the simulator: accounts, plugins, and certificates of nodes."""

from __future__ import annotations

from typing import Any

import pytest

from proxmox_client.testing import PveFault, SimulatedCluster
from proxmox_client.testing.acme import DEFAULT
from proxmox_client.testing.outside import CertificateAuthority

CERTIFICATE = "/nodes/pve1/certificates/acme/certificate"


@pytest.fixture
def authority() -> CertificateAuthority:
    return CertificateAuthority(terms="https://example.com/terms")


@pytest.fixture
def cluster(authority: CertificateAuthority) -> SimulatedCluster:
    made = SimulatedCluster(nodes=("pve1",))
    made.outside.authorities[DEFAULT] = authority
    return made


def run(
    cluster: SimulatedCluster, method: str, path: str, params: dict[str, Any] | None = None
) -> tuple[str, list[str]]:
    task = cluster.tasks.get(cluster.call(method, path, params))
    cluster.clock.advance(300)
    return str(task.exitstatus), task.lines


def register(cluster: SimulatedCluster) -> str:
    params = {"contact": "ops@example.com", "tos_url": "https://example.com/terms"}
    return run(cluster, "POST", "/cluster/acme/account", params)[0]


@pytest.mark.requirement("acme.accounts")
def test_an_account_agrees_to_the_terms(cluster: SimulatedCluster) -> None:
    assert cluster.call("GET", "/cluster/acme/tos") == "https://example.com/terms"
    ended, _ = run(cluster, "POST", "/cluster/acme/account", {"contact": "ops@example.com"})
    assert ended.startswith("Registration failed: ")
    assert register(cluster) == "OK"
    assert cluster.call("GET", "/cluster/acme/account") == [{"name": "default"}]
    with pytest.raises(PveFault) as again:
        register(cluster)
    assert again.value.errors == {
        "name": "ACME account config file 'default' already exists."
    }  # fmt: skip
    path = "/cluster/acme/account/default"
    assert run(cluster, "PUT", path, {"contact": "new@example.com"})[0] == "OK"
    account = cluster.call("GET", path)["account"]
    assert account == {"status": "valid", "contact": ["mailto:new@example.com"]}
    assert run(cluster, "DELETE", path)[0] == "OK"
    assert cluster.call("GET", "/cluster/acme/account") == []


@pytest.mark.requirement("acme.accounts")
def test_an_authority_may_want_an_account_of_its_own(
    cluster: SimulatedCluster, authority: CertificateAuthority
) -> None:
    authority.binding = True
    assert cluster.call("GET", "/cluster/acme/meta")["externalAccountRequired"] is True
    assert register(cluster).startswith("Registration failed: ")


@pytest.mark.requirement("acme.accounts")
def test_who_cannot_be_reached_is_told(cluster: SimulatedCluster) -> None:
    cluster.outside.authorities.clear()
    with pytest.raises(PveFault, match="Error: GET to https://acme-v02"):
        cluster.call("GET", "/cluster/acme/tos")
    assert register(cluster).startswith("Registration failed: Error: GET to")


@pytest.mark.requirement("acme.plugins")
def test_plugins_are_kept_under_a_digest(cluster: SimulatedCluster) -> None:
    path = "/cluster/acme/plugins"
    with pytest.raises(PveFault, match="missing value for required option 'api'"):
        cluster.call("POST", path, {"id": "dns1", "type": "dns"})
    cluster.call("POST", path, {"id": "dns1", "type": "dns", "api": "cf", "data": "QQ=="})
    with pytest.raises(PveFault, match="ACME plugin ID 'dns1' already exists"):
        cluster.call("POST", path, {"id": "dns1", "type": "standalone"})
    digest = cluster.call("GET", f"{path}/dns1")["digest"]
    cluster.call("PUT", f"{path}/dns1", {"validation-delay": 5, "digest": digest})
    with pytest.raises(PveFault, match="detected modified configuration"):
        cluster.call("PUT", f"{path}/dns1", {"disable": 1, "digest": digest})
    kinds = [row["plugin"] for row in cluster.call("GET", path, {"type": "dns"})]
    assert kinds == ["dns1"]
    cluster.call("DELETE", f"{path}/dns1")
    with pytest.raises(PveFault, match="ACME plugin ID 'dns1' does not exist"):
        cluster.call("GET", f"{path}/dns1")
    services = {row["id"]: row for row in cluster.call("GET", "/cluster/acme/challenge-schema")}
    assert "CF_Token" in services["cf"]["schema"]["fields"]


@pytest.mark.requirement("acme.certificates")
def test_a_certificate_is_ordered_renewed_and_revoked(cluster: SimulatedCluster) -> None:
    register(cluster)
    cluster.call("POST", "/cluster/acme/plugins", {"id": "dns1", "type": "dns", "api": "cf"})
    config = {
        "acme": "account=default,domains=pve1.example.com",
        "acmedomain0": "domain=pve.example.com,plugin=dns1",
    }
    cluster.call("PUT", "/nodes/pve1/config", config)
    ended, lines = run(cluster, "POST", CERTIFICATE)
    assert ended == "OK"
    assert "Status is 'valid', domain 'pve.example.com' OK!" in lines
    found = cluster.call("GET", "/nodes/pve1/certificates/info")[-1]
    assert found["san"] == ["pve1.example.com", "pve.example.com"]
    with pytest.raises(PveFault) as present:
        cluster.call("POST", CERTIFICATE)
    assert present.value.errors == {"force": "Custom certificate exists but 'force' is not set."}
    with pytest.raises(PveFault):
        cluster.call("PUT", CERTIFICATE)
    cluster.clock.advance(70 * 86400)
    assert run(cluster, "PUT", CERTIFICATE)[0] == "OK"
    renewed = cluster.call("GET", "/nodes/pve1/certificates/info")[-1]
    assert renewed["notafter"] > found["notafter"]
    assert run(cluster, "DELETE", CERTIFICATE)[0] == "OK"
    assert len(cluster.call("GET", "/nodes/pve1/certificates/info")) == 2


@pytest.mark.requirement("acme.certificates")
def test_a_domain_without_proof_fails_the_order(
    cluster: SimulatedCluster, authority: CertificateAuthority
) -> None:
    register(cluster)
    with pytest.raises(PveFault, match="undefined value as a HASH reference"):
        cluster.call("POST", CERTIFICATE)
    cluster.call("PUT", "/nodes/pve1/config", {"acme": "account=default"})
    with pytest.raises(PveFault, match="ACME domain list in node configuration is missing!"):
        cluster.call("POST", CERTIFICATE)
    cluster.call("PUT", "/nodes/pve1/config", {"acmedomain0": "pve1.example.com"})
    authority.refused.add("pve1.example.com")
    ended, _ = run(cluster, "POST", CERTIFICATE)
    assert ended.endswith("failed - status: invalid")
    cluster.call("PUT", "/nodes/pve1/config", {"acme": "account=other"})
    ended, _ = run(cluster, "POST", CERTIFICATE)
    assert ended == "ACME account config file 'other' does not exist."
