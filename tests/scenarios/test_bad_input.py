"""Bad input gets a clear error and changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from pmpc_reconcile.errors import InputInvalid, PlanRefused
from pmpc_reconcile.manifests import load_text

VM = """\
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1}
spec:
  SPEC
"""


@pytest.mark.parametrize(
    ("spec", "words", "hint"),
    [
        ("source: {clone: {template: debian-12}}", "no template debian-12", "debian-13"),
        (
            "source: {clone: {template: debian-13}}\n  placement: {nodes: [pve9]}",
            "no node pve9",
            "did you mean",
        ),
        (
            "source: {clone: {template: debian-13}}\n"
            "  config: {scsi1: {storage: local-lmv, size: 4G}}",
            "no storage local-lmv",
            "local-lvm",
        ),
        ("source: {clone: {template: debian-13}}\n  pool: shopp", "no pool shopp", "Pool"),
        (
            "source: {clone: {template: debian-13}}\n  config: {scsi0: {size: 1G}}",
            "cannot shrink",
            "size",
        ),
    ],
)
async def test_what_the_cluster_lacks_is_said_with_its_place(
    lab: Any, spec: str, words: str, hint: str
) -> None:
    plan = await lab.plan(VM.replace("SPEC", spec))
    (error,) = plan.errors
    assert words in error.message
    assert hint in (error.hint or "")
    assert error.line is not None
    assert plan.empty
    with pytest.raises(PlanRefused, match="nothing was changed"):
        await lab.engine.apply(plan)
    assert lab.writes == []
    assert lab.vmids() == []


async def test_one_error_keeps_the_other_objects_from_being_made(lab: Any) -> None:
    good = VM.replace("SPEC", "source: {clone: {template: debian-13}}")
    bad = VM.replace("web-1", "web-2").replace("SPEC", "source: {clone: {template: nope}}")
    plan = await lab.plan(good + "---\n" + bad)
    with pytest.raises(PlanRefused):
        await lab.engine.apply(plan)
    assert lab.writes == []


async def test_a_pool_of_somebody_else_is_not_adopted(lab: Any) -> None:
    lab.cluster.call("POST", "/pools", {"poolid": "shop", "comment": "theirs"})
    plan = await lab.plan(
        "apiVersion: pmpc/v1\nkind: Pool\nmetadata: {name: shop}\nspec: {comment: ours}\n"
    )
    assert "not managed by this release" in plan.errors[0].message
    assert plan.empty


async def test_a_resolution_that_is_no_word_is_refused(lab: Any) -> None:
    with pytest.raises(InputInvalid, match="use ours, theirs, ignore"):
        await lab.plan(
            VM.replace("SPEC", "source: {clone: {template: debian-13}}"),
            resolve={"config.cores": "mine"},
        )


CT = """\
apiVersion: pmpc/v1
kind: Container
metadata: {name: cache-1}
spec:
  source: {template: "local:vztmpl/IMAGE.tar.zst"}
  config: {rootfs: {storage: local-lvm, size: 4G}}
"""


async def test_a_container_template_that_is_not_there_is_said_with_its_place(lab: Any) -> None:
    plan = await lab.plan(CT.replace("IMAGE", "debian-12-standard"))
    (error,) = plan.errors
    assert "no container template local:vztmpl/debian-12-standard.tar.zst" in error.message
    assert "debian-13-standard" in (error.hint or "")
    assert error.line == 5
    assert plan.empty


async def test_a_container_is_made_where_its_template_is(lab: Any) -> None:
    lab.cluster.add_volume("local", "local:vztmpl/rare.tar.zst", 1_000_000, node="pve3")
    plan = await lab.plan(CT.replace("IMAGE", "rare"))
    assert not plan.errors, plan.explain()
    assert plan.objects[0].node == "pve3"
    assert (await lab.engine.apply(plan)).ok


@pytest.mark.parametrize("name", ["", "my shop", "ü", "../x", "a/b", "-r", "x" * 64, "a\nb"])
async def test_a_release_whose_name_no_marker_could_hold_is_refused(lab: Any, name: str) -> None:
    """Its guests would be made, and never be recognised again."""
    manifests = load_text(VM.replace("SPEC", "source: {clone: {template: debian-13}}"))
    with pytest.raises(InputInvalid, match="is no name: use up to 63 letters"):
        await lab.engine.plan(manifests, name)
    assert lab.writes == []
