"""One of everything a cluster can have settings for, made through the API as people would."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from proxmox_client import schema

if TYPE_CHECKING:
    from proxmox_client import AsyncClient
    from proxmox_client.testing import SimulatedCluster

_NODE: Final = "/nodes/pve1"
_VM: Final = f"{_NODE}/qemu/100"
_CT: Final = f"{_NODE}/lxc/200"
_ENDPOINTS: Final = "/cluster/notifications/endpoints"
_SDN: Final = "/cluster/sdn"
_GROUPS: Final = "/cluster/ha/groups"
"""Rules since 9.0, where the path is still there."""
Order = tuple[str, str, Mapping[str, Any]]


def _of_guest(path: str) -> tuple[Order, ...]:
    firewall = f"{path}/firewall"
    return (
        ("PUT", f"{firewall}/options", {"enable": 1}),
        ("POST", f"{firewall}/rules", {"type": "in", "action": "ACCEPT"}),
        ("POST", f"{firewall}/aliases", {"name": "office", "cidr": "10.1.0.0/16"}),
        ("POST", f"{firewall}/ipset", {"name": "admins"}),
        ("POST", f"{firewall}/ipset/admins", {"cidr": "10.2.0.0/24"}),
        ("POST", f"{path}/snapshot", {"snapname": "before", "description": "an upgrade"}),
    )


ORDERS: Final[tuple[Order, ...]] = (
    ("POST", "/access/users", {"userid": "eve@pve", "comment": "reads", "email": "eve@x.org"}),
    ("POST", "/access/users/eve@pve/token/ci", {"comment": "of a machine"}),
    ("POST", "/access/groups", {"groupid": "staff", "comment": "all of them"}),
    ("PUT", "/access/users/eve@pve", {"groups": "staff"}),
    ("POST", "/access/roles", {"roleid": "Looker", "privs": "VM.Audit,Sys.Audit"}),
    ("PUT", "/access/acl", {"path": "/vms", "roles": "Looker", "groups": "staff"}),
    ("POST", "/access/domains", {
        "realm": "corp", "type": "ldap", "server1": "ldap.corp", "base_dn": "dc=corp",
        "user_attr": "uid", "comment": "of the company",
    }),
    ("POST", "/cluster/jobs/realm-sync/nightly", {
        "realm": "corp", "schedule": "02:00", "scope": "both",
    }),
    ("POST", "/cluster/metrics/server/graphs", {
        "type": "graphite", "server": "10.9.9.9", "port": 2003, "path": "corp.pve", "proto": "udp",
    }),
    ("POST", "/cluster/backup", {"id": "nightly", "vmid": "100", "storage": "local",
                                 "schedule": "03:00"}),
    ("POST", "/cluster/firewall/ipset", {"name": "admins"}),
    ("POST", "/cluster/firewall/ipset/admins", {"cidr": "10.2.0.0/24"}),
    ("POST", "/cluster/firewall/aliases", {"name": "office", "cidr": "10.1.0.0/16"}),
    ("POST", "/cluster/firewall/groups", {"group": "web"}),
    ("POST", "/cluster/firewall/groups/web", {"type": "in", "action": "ACCEPT"}),
    ("POST", "/cluster/firewall/rules", {"type": "in", "action": "ACCEPT"}),
    ("POST", f"{_NODE}/firewall/rules", {"type": "in", "action": "ACCEPT"}),
    ("POST", "/cluster/ha/resources", {"sid": "vm:100", "state": "stopped"}),
    ("POST", "/cluster/ha/resources", {"sid": "ct:200", "state": "stopped"}),
    ("POST", _GROUPS, {"group": "first", "nodes": "pve1:2,pve2"}),
    ("POST", "/cluster/ha/rules", {"rule": "apart", "type": "resource-affinity",
                                   "resources": "vm:100,ct:200", "affinity": "negative"}),
    ("POST", "/cluster/mapping/pci", {
        "id": "gpu", "map": ["id=10de:1eb8,node=pve1,path=0000:01:00.0"],
    }),
    ("POST", "/cluster/mapping/usb", {"id": "key", "map": ["id=1050:0407,node=pve1"]}),
    ("POST", "/cluster/mapping/dir", {"id": "data", "map": ["node=pve1,path=/srv/data"]}),
    ("POST", f"{_ENDPOINTS}/sendmail", {"name": "mail", "mailto-user": ["root@pam"]}),
    ("POST", f"{_ENDPOINTS}/gotify", {"name": "push", "server": "https://g.corp", "token": "t0k"}),
    ("POST", f"{_ENDPOINTS}/smtp", {"name": "post", "server": "mx.corp", "from-address": "a@x.org",
                                    "mailto": ["b@x.org"]}),
    ("POST", f"{_ENDPOINTS}/webhook", {"name": "hook", "url": "https://h.corp", "method": "post"}),
    ("POST", "/cluster/notifications/matchers", {"name": "all", "target": ["mail"]}),
    ("POST", "/cluster/acme/plugins", {"id": "dns", "type": "dns", "api": "ovh"}),
    ("POST", f"{_SDN}/zones", {"zone": "lan", "type": "simple", "ipam": "pve"}),
    ("POST", f"{_SDN}/vnets", {"vnet": "office", "zone": "lan"}),
    ("POST", f"{_SDN}/vnets/office/subnets", {"subnet": "10.7.0.0/24", "type": "subnet"}),
    ("PUT", _SDN, {}),
    ("PUT", f"{_SDN}/vnets/office/firewall/options", {"enable": 1}),
    ("POST", f"{_SDN}/vnets/office/firewall/rules", {"type": "forward", "action": "ACCEPT"}),
    ("POST", f"{_SDN}/controllers", {"controller": "bgp1", "type": "bgp", "asn": 65000,
                                     "peers": "10.7.0.1", "node": "pve1"}),
    ("POST", f"{_SDN}/fabrics/fabric", {"id": "spine", "protocol": "openfabric",
                                        "ip_prefix": "10.9.0.0/24"}),
    ("POST", f"{_SDN}/fabrics/node/spine", {
        "node_id": "pve1", "ip": "10.9.0.1", "protocol": "openfabric", "interfaces": ["name=ens18"],
    }),
    ("POST", f"{_SDN}/prefix-lists", {
        "id": "ours", "entries": ["action=permit,prefix=10.0.0.0/8"],
    }),
    ("POST", f"{_SDN}/route-maps/entries", {"route-map-id": "out", "order": 1,
                                            "action": "permit"}),
    ("POST", "/cluster/qemu/custom-cpu-models", {
        "cputype": "custom-old", "reported-model": "kvm64",
    }),
    ("POST", "/pools", {"poolid": "prod"}),
    *_of_guest(_VM),
    *_of_guest(_CT),
)  # fmt: skip


async def furnish(cluster: SimulatedCluster, pve: AsyncClient) -> list[Order]:
    """Add two guests, and one of every kind of settings the cluster's version knows.

    Returns:
        What was done: the others are of a later or an earlier version.
    """
    cluster.add_vm("pve1", 100, {"name": "web", "memory": 512, "scsi0": "local-lvm:1"})
    cluster.add_container("pve1", 200, {"hostname": "proxy", "rootfs": "local-lvm:1"})
    done: list[Order] = []
    for method, path, params in ORDERS:
        found = schema.find(method, path)
        if found is None or not knows(cluster.version, found[0].since, found[0].until):
            continue
        if path == _GROUPS and not knows(cluster.version, "8.0", "8.4"):
            continue
        answer = await pve.request(method, path, dict(params))
        if isinstance(answer, str) and answer.startswith("UPID:"):
            cluster.clock.advance(60)
        done.append((method, path, params))
    return done


def knows(version: str, since: str, until: str | None) -> bool:
    """Say whether a version has what came with one and went with another."""
    here = _number(version)
    return _number(since) <= here and (until is None or here <= _number(until))


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")[:2]))
