"""Looking for storages: what servers offer, and what lies on the node's own disks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from proxmox_client.testing import nodedisks
from proxmox_client.testing.request import Call, PveFault
from proxmox_client.testing.routing import handles

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

_FILE_NAME = re.compile(r"^[^?]+/([^?/]+)(?:\?.*)?$")


@handles("GET", "/nodes/{node}/scan/nfs")
def nfs(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List a server's exports."""
    server = cluster.outside.files.get(call["server"])
    if server is None:
        command = f"/sbin/showmount --no-headers --exports {call['server']}"
        raise PveFault(500, f"command '{command}' failed: exit code 1")
    return [{"path": path, "options": who} for path, who in sorted(server.exports.items())]


@handles("GET", "/nodes/{node}/scan/cifs")
def cifs(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List a server's shares; a server that does not answer has none."""
    server = cluster.outside.files.get(call["server"])
    shares = server.shares if server else {}
    return [{"share": name, "description": text} for name, text in sorted(shares.items())]


@handles("GET", "/nodes/{node}/scan/glusterfs")
def glusterfs(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """Find no volumes (PVE 8 only): nothing out there speaks GlusterFS."""
    command = f"/usr/sbin/gluster peer probe {call['server']}"
    raise PveFault(500, f"command '{command}' failed: exit code 1")


@handles("GET", "/nodes/{node}/scan/iscsi")
def iscsi(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List a portal's targets."""
    portal = call["portal"]
    server = cluster.outside.files.get(portal.partition(":")[0])
    if server is None:
        raise PveFault(500, f"iscsi scan failed: no response from portal '{portal}'")
    return [{"target": name, "portal": where} for name, where in sorted(server.targets.items())]


@handles("GET", "/nodes/{node}/scan/pbs")
def pbs(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List a backup server's datastores."""
    server = cluster.outside.files.get(call["server"])
    if server is None:
        where = f"{call['server']}:{call.get('port', 8007)}"
        text = f"error fetching datastores - 500 Can't connect to {where} (Connection refused)"
        raise PveFault(500, text)
    return [{"store": name, "comment": text} for name, text in sorted(server.datastores.items())]


@handles("GET", "/nodes/{node}/scan/lvm")
def lvm(cluster: SimulatedCluster, call: Call) -> list[dict[str, str]]:
    """List the node's volume groups."""
    return [
        {"vg": name} for name in sorted(nodedisks.volume_groups(cluster, cluster.nodes[call.node]))
    ]


@handles("GET", "/nodes/{node}/scan/lvmthin")
def lvmthin(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the thin pools of a volume group."""
    pools = nodedisks.thin_pools(cluster, cluster.nodes[call.node])
    return [pool for pool in pools if pool["vg"] == call["vg"]]


@handles("GET", "/nodes/{node}/scan/zfs")
def zfs(cluster: SimulatedCluster, call: Call) -> list[dict[str, Any]]:
    """List the node's ZFS pools."""
    node = cluster.nodes[call.node]
    if not node.files.get("zfs-installed", True):
        command = "zfs list -t filesystem -Hp -o name,avail,used"
        raise PveFault(
            500,
            f"command '{command}' failed: open3: exec of {command} failed: No such file or"
            " directory at /usr/share/perl5/PVE/Cmd.pm line 174.",
        )
    return [
        {"pool": pool["name"], "size": pool["size"], "free": pool["free"]}
        for pool in nodedisks.zfs_pools(cluster, node)
    ]


@handles("GET", "/nodes/{node}/query-url-metadata")
def url_metadata(cluster: SimulatedCluster, call: Call) -> dict[str, Any]:
    """Ask a web server about a file."""
    url = call["url"]
    data = cluster.downloads.get(url)
    if data is None:
        host = url.split("/")[2] if url.count("/") > 1 else url
        where = host if ":" in host else f"{host}:{443 if url.startswith('https') else 80}"
        text = f"500 Can't connect to {where} (Connection refused)"
        raise PveFault(500, f"invalid server response: '{text}'")
    found = _FILE_NAME.match(url)
    row: dict[str, Any] = {"size": len(data), "mimetype": "application/octet-stream"}
    return row | ({"filename": found[1]} if found else {})


@handles("GET", "/nodes/{node}/query-oci-repo-tags")
def image_tags(cluster: SimulatedCluster, call: Call) -> list[str]:
    """List the tags of an image in a registry; it takes a tool that is not installed by itself."""
    if not cluster.nodes[call.node].files.get("skopeo-installed"):
        raise PveFault(500, "Install 'skopeo' to list tags from OCI registries.")
    tags = cluster.outside.images.get(call["reference"])
    if tags is None:
        command = f"skopeo list-tags docker://{call['reference']}"
        raise PveFault(500, f"command '{command}' failed: exit code 1")
    return list(tags)
