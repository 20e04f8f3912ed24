"""The cluster's networks as scenarios declare them and look at them."""

from __future__ import annotations

from typing import Any

LAB = """
apiVersion: pmpc/v1
kind: Sdn
metadata: {name: lab}
spec:
  zones:
    lab: {type: vlan, bridge: vmbr0, nodes: [pve2, pve1]}
  vnets:
    web: {zone: lab, tag: 20, alias: front}
    db: {zone: lab, tag: 30}
  subnets:
    10.50.0.0/24:
      vnet: web
      gateway: 10.50.0.1
      dhcp-range: [10.50.0.10-10.50.0.99]
"""


def staged(lab: Any, section: str) -> dict[str, Any]:
    key = section.removesuffix("s")
    return {row[key]: row for row in lab.cluster.call("GET", f"/cluster/sdn/{section}")}


def pending(lab: Any) -> list[Any]:
    return [
        row
        for section in ("zones", "vnets")
        for row in lab.cluster.call("GET", f"/cluster/sdn/{section}", {"pending": 1})
        if row.get("state")
    ]


def lock_is_free(lab: Any) -> bool:
    token = lab.cluster.call("POST", "/cluster/sdn/lock")
    lab.cluster.call("DELETE", "/cluster/sdn/lock", {"lock-token": token})
    return True


def running(lab: Any) -> list[list[dict[str, Any]]]:
    """Return zones, networks and subnets as applied, in an order of their own."""

    def rows(path: str, key: str) -> list[dict[str, Any]]:
        found = lab.cluster.call("GET", f"/cluster/sdn/{path}", {"running": 1})
        plain = [{name: value for name, value in row.items() if name != "digest"} for row in found]
        return sorted(plain, key=lambda row: str(row[key]))

    vnets = rows("vnets", "vnet")
    below = [row for vnet in vnets for row in rows(f"vnets/{vnet['vnet']}/subnets", "subnet")]
    return [rows("zones", "zone"), vnets, below]


def free_of_locks(lab: Any) -> bool:
    return lab.cluster.version.startswith("8") or lock_is_free(lab)
