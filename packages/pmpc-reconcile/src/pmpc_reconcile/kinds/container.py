"""The kind Container: an LXC guest."""

from __future__ import annotations

from typing import Final

from pmpc_reconcile.kinds import guest
from pmpc_reconcile.kinds.definition import Kind

CONTAINER: Final = Kind(
    name="Container",
    guest="lxc",
    order=30,
    collection_path="/nodes/{node}/lxc",
    object_path="/nodes/{node}/lxc/{vmid}",
    config_path="/nodes/{node}/lxc/{vmid}/config",
    config_method="PUT",
    name_option="hostname",
    identity="vmid",
    control=guest.CONTROL,
    reserved={
        **guest.RESERVED,
        "ostemplate": "write it as spec.source.template",
        "restore": "restoring a backup is an action, not a manifest",
    },
    # POST only: the values go into the file system of the new container and never come back.
    create_only=frozenset({"password", "ssh-public-keys"}),
    spec={
        **guest.SPEC,
        "source": {
            "type": "dict",
            "schema": {
                "clone": {**guest.CLONE, "excludes": "template"},
                "template": {"type": "string", "empty": False},
            },
        },
    },
)
