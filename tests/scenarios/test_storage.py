"""Storages: made once, known again by type and place, secrets never stored.

Pains: a storage of somebody else of that name; content lists that differ for ever; passwords in
the state (bpg#789).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.lab.quiet import quiet

NFS = """
apiVersion: pmpc/v1
kind: Storage
metadata: {name: tank}
spec:
  type: nfs
  config:
    server: 10.77.0.200
    export: /tank
    content: [iso, images, backup]
    nodes: [pve2, pve1]
    prune-backups: {keep-last: 3, keep-daily: 7}
"""


def shown(lab: Any, name: str = "tank") -> dict[str, Any]:
    row: dict[str, Any] = lab.cluster.call("GET", f"/storage/{name}")
    return row


def names(lab: Any) -> set[str]:
    return {row["storage"] for row in lab.cluster.call("GET", "/storage")}


def stored(folder: Path) -> bytes:
    """Return everything the state database has on disk."""
    return b"".join(path.read_bytes() for path in folder.glob("state.db*"))


async def test_a_storage_is_made_changed_and_taken_out_again(lab: Any) -> None:
    await lab.applied(NFS)
    assert set(shown(lab)["content"].split(",")) == {"iso", "images", "backup"}
    assert set(shown(lab)["nodes"].split(",")) == {"pve1", "pve2"}
    await quiet(lab, NFS)
    changed = NFS.replace("nodes: [pve2, pve1]", "nodes: [pve3]").replace("iso, images", "images")
    await lab.applied(changed)
    assert shown(lab)["nodes"] == "pve3"
    assert set(shown(lab)["content"].split(",")) == {"images", "backup"}
    await quiet(lab, changed)
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
    assert "tank" not in names(lab)


async def test_order_and_defaults_change_nothing(lab: Any) -> None:
    await lab.applied(NFS)
    same = NFS.replace("[iso, images, backup]", "backup,images,iso")
    same = same.replace("[pve2, pve1]", "[pve1, pve2]")
    await quiet(lab, same + "    disable: off\n")


async def test_a_storage_of_somebody_else_is_left_alone(lab: Any) -> None:
    plan = await lab.plan(NFS.replace("name: tank", "name: shared"))
    assert plan.steps == ()
    assert plan.errors


async def test_a_storage_made_anew_by_somebody_under_our_name_is_not_ours(lab: Any) -> None:
    await lab.applied(NFS)
    lab.cluster.call("DELETE", "/storage/tank")
    lab.cluster.call("POST", "/storage", {"storage": "tank", "type": "dir", "path": "/srv/alice"})
    plan = await lab.plan(NFS)
    assert "left alone" in plan.errors[0].message
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
    assert shown(lab)["path"] == "/srv/alice"


async def test_a_storage_that_was_there_as_declared_is_used_and_stays(lab: Any) -> None:
    lab.cluster.call("POST", "/storage", {"storage": "tank", "type": "nfs", "export": "/tank",
                                          "server": "10.77.0.200", "content": "iso"})  # fmt: skip
    text = NFS.split("    nodes")[0].replace("[iso, images, backup]", "[iso]")
    await lab.applied(text)
    await quiet(lab, text)
    await lab.engine.apply(await lab.engine.delete("shop"))
    assert "tank" in names(lab)


async def test_what_cannot_change_is_refused_in_planning(lab: Any) -> None:
    await lab.applied(NFS)
    plan = await lab.plan(NFS.replace("/tank", "/other"))
    assert "cannot become /other" in plan.errors[0].message


async def test_an_edit_of_somebody_else_is_a_conflict(lab: Any) -> None:
    await lab.applied(NFS)
    lab.cluster.call("PUT", "/storage/tank", {"content": "rootdir"})
    plan = await lab.plan(NFS)
    (conflict,) = plan.object("Storage/tank").conflicts
    assert (conflict.path, conflict.live) == ("config.content", "rootdir")


async def test_an_edit_between_plan_and_apply_is_not_overwritten(lab: Any) -> None:
    await lab.applied(NFS)
    plan = await lab.plan(NFS.replace("[pve2, pve1]", "[pve3]"))
    lab.cluster.call("PUT", "/storage/tank", {"nodes": "pve2"})
    report = await lab.engine.apply(plan)
    assert "somebody changed it" in report.failed[0].reason
    assert shown(lab)["nodes"] == "pve2"


async def test_a_guest_on_a_storage_of_the_plan_lands_where_the_storage_is(lab: Any) -> None:
    guest = """
---
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: db-1}
spec:
  config:
    scsi0: {storage: tank, size: 4G}
"""
    text = NFS.replace("nodes: [pve2, pve1]", "nodes: [pve2]") + guest
    await lab.applied(text)
    assert lab.cluster.guests[lab.vmid("db-1")].node == "pve2"
    await quiet(lab, text)
    assert (await lab.engine.apply(await lab.engine.delete("shop"))).ok
    assert "tank" not in names(lab)


async def test_secrets_of_a_storage_are_nowhere_but_in_the_request(
    lab: Any, tmp_path: Path
) -> None:
    secret = "c0rrect-horse-battery"
    text = f"""
apiVersion: pmpc/v1
kind: Storage
metadata: {{name: win}}
spec:
  type: cifs
  config: {{server: 10.77.0.200, share: tank, username: ada, password: {secret}, content: [iso]}}
"""
    plan = await lab.plan(text)
    assert secret not in plan.to_json()
    assert secret not in plan.explain()
    assert (await lab.engine.apply(plan)).ok
    assert secret not in "".join(repr(event) for event in lab.events)
    assert secret.encode() not in stored(tmp_path)
    await quiet(lab, text)
    lab.forget_writes()
    await lab.applied(text.replace(secret, "another-one"))
    assert lab.writes == ["PUT /storage/win"]


async def test_all_or_nothing_takes_a_new_storage_back(lab: Any) -> None:
    bad = "\n---\n" + NFS.replace("name: tank", "name: bad").replace("10.77.0.200", "192.0.2.1")
    report = await lab.engine.apply(await lab.plan(NFS + bad), atomic=True)
    assert not report.ok
    assert {"tank", "bad"} & names(lab) == set()


@pytest.mark.parametrize("line", ["type: nfs\n  config: {content: [nonsense]}", "type: nope"])
async def test_mistakes_are_found(lab: Any, line: str) -> None:
    from pmpc_reconcile.manifests import ManifestInvalid

    head = "apiVersion: pmpc/v1\nkind: Storage\nmetadata: {name: x1}\nspec:\n  "
    try:
        report = await lab.apply(head + line + "\n")
    except ManifestInvalid:
        return
    assert not report.ok
