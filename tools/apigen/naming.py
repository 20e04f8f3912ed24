"""What operations, classes, areas and fields are called in Python."""

from __future__ import annotations

import keyword
import re

# An area is one module of each generated kind. The longest matching prefix counts.
AREAS = {
    "/access": "access",
    "/cluster": "cluster",
    "/cluster/backup": "cluster_backup",
    "/cluster/backup-info": "cluster_backup",
    "/cluster/acme": "cluster_acme",
    "/cluster/bulk-action": "cluster_bulk",
    "/cluster/ceph": "cluster_ceph",
    "/cluster/config": "cluster_config",
    "/cluster/firewall": "cluster_firewall",
    "/cluster/ha": "cluster_ha",
    "/cluster/jobs": "cluster_jobs",
    "/cluster/mapping": "cluster_mapping",
    "/cluster/metrics": "cluster_metrics",
    "/cluster/notifications": "cluster_notifications",
    "/cluster/sdn": "cluster_sdn",
    "/nodes": "nodes",
    "/nodes/{node}/apt": "nodes_apt",
    "/nodes/{node}/capabilities": "nodes_capabilities",
    "/nodes/{node}/ceph": "nodes_ceph",
    "/nodes/{node}/certificates": "nodes_certificates",
    "/nodes/{node}/disks": "nodes_disks",
    "/nodes/{node}/firewall": "nodes_firewall",
    "/nodes/{node}/hardware": "nodes_hardware",
    "/nodes/{node}/lxc": "nodes_lxc",
    "/nodes/{node}/qemu": "nodes_qemu",
    "/nodes/{node}/replication": "nodes_replication",
    "/nodes/{node}/scan": "nodes_scan",
    "/nodes/{node}/sdn": "nodes_sdn",
    "/nodes/{node}/storage": "nodes_storage",
    "/nodes/{node}/tasks": "nodes_tasks",
    "/pools": "pools",
    "/storage": "storage",
    "/version": "version",
}
_RESERVED = {"get", "post", "put", "delete", "self", "extra", "from_wire", "to_dict", "typed"}


def segments(path: str) -> list[str]:
    """Cut a path into its parts."""
    return path.strip("/").split("/")


def area(path: str) -> str:
    """Name the module an operation or path node belongs to."""
    probe = path.rstrip("/")
    while probe:
        if probe in AREAS:
            return AREAS[probe]
        probe = probe.rpartition("/")[0]
    raise KeyError(f"no area for {path}")


def words(path: str) -> list[str]:
    """Name a path: its segments without placeholders, but with the last one if that is one."""
    parts = segments(path)
    inner = [part for part in parts[:-1] if not part.startswith("{")]
    return [*inner, parts[-1].strip("{}")]


def operation_id(method: str, path: str) -> str:
    """Name an operation: `nodes.qemu.config.get`, `nodes.qemu.vmid.delete`."""
    return ".".join([*words(path), method.lower()])


def constant(method: str, path: str) -> str:
    """Name the operation's constant in its module."""
    return re.sub(r"[^A-Z0-9]", "_", operation_id(method, path).upper())


def camel(*parts: str) -> str:
    """Join words to a class name."""
    return "".join(
        piece[:1].upper() + piece[1:]
        for part in parts
        for piece in re.split(r"[^A-Za-z0-9]+", part)
    )


def resource_class(path: str) -> str:
    """Name the class of a path node."""
    return camel(*words(path))


def attribute(name: str) -> str:
    """Name a field, parameter or path segment in Python: `import-from` is `import_from`."""
    stem = re.sub(r"[^A-Za-z0-9_]", "_", name.removesuffix("[n]").strip("{}"))
    if stem[0].isdigit():
        stem = f"n{stem}"
    if stem.startswith("_"):
        stem = f"f{stem}"
    return f"{stem}_" if keyword.iskeyword(stem) else stem


def field(name: str) -> str:
    """Name a field of a model, out of the way of the model's own methods."""
    found = attribute(name)
    return f"{found}_" if found in _RESERVED else found


def child(name: str) -> str:
    """Name the attribute that leads to a literal path segment."""
    found = attribute(name)
    return f"{found}_" if found in _RESERVED else found


def unique(names: list[str], rename: str = "{}_n") -> dict[str, str]:
    """Map wire names to Python names; an indexed family gives way where two would clash."""
    taken: dict[str, str] = {}
    plain = [name for name in names if not name.endswith("[n]")]
    for name in [*plain, *(name for name in names if name.endswith("[n]"))]:
        python = field(name)
        while python in taken.values():
            python = rename.format(python)
        taken[name] = python
    return {name: taken[name] for name in names}
