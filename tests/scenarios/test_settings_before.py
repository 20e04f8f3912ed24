"""What a setting was before a release came stays its value when the release lets go of it.

Pain: deleting a release resets an option to its default, though somebody had set it before:
the cluster's firewall, switched on by hand, is off afterwards.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from pmpc_reconcile.manifests import load_text
from pmpc_state import State
from tests.lab.moments import Moment
from tests.lab.power_cuts import fall
from tests.lab.quiet import quiet

CLUSTER = "/cluster/firewall/options"
PLACES = {
    "{}": CLUSTER,
    "{node: pve1}": "/nodes/pve1/firewall/options",
    "{guest: 300}": "/nodes/pve1/qemu/300/firewall/options",
}
MADE = "/cluster/firewall/aliases"


def firewall(options: str, more: str = "") -> str:
    head = "---\napiVersion: pmpc/v1\nkind: Firewall\nmetadata: {name: cluster}\nspec:\n"
    return f"{head}  options: {{{options}}}\n{more}"


ON = firewall("enable: on")
BOTH = firewall("enable: on, policy_forward: DROP")


@pytest.fixture
def walled(lab: Any) -> Any:
    """A lab whose firewall somebody switched on."""
    lab.cluster.call("PUT", CLUSTER, {"enable": 1})
    lab.forget_writes()
    return lab


def options(lab: Any, path: str = CLUSTER) -> dict[str, Any]:
    shown = lab.cluster.call("GET", path)
    return {name: value for name, value in shown.items() if name != "digest"}


async def deleted(lab: Any, release: str = "shop") -> Any:
    plan = await lab.engine.delete(release)
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    return plan


async def apply_as(lab: Any, release: str, text: str, **how: Any) -> None:
    report = await lab.engine.apply(await lab.engine.plan(load_text(text), release, **how))
    assert report.ok, [item.reason for item in report.failed]


@pytest.mark.parametrize(("where", "path"), PLACES.items())
async def test_what_was_set_before_stays_when_the_release_goes(
    lab: Any, where: str, path: str
) -> None:
    lab.cluster.add_vm("pve1", 300, {"name": "db"})
    lab.cluster.call("PUT", path, {"enable": 1, "ndp": 0} if path != CLUSTER else {"enable": 1})
    before = options(lab, path)
    text = "enable: on, ndp: off, log_level_in: info" if path != CLUSTER else "enable: on"
    spec = f"{where[:-1]}{', ' if where != '{}' else ''}options: {{{text}}}}}"
    text = f"apiVersion: pmpc/v1\nkind: Firewall\nmetadata: {{name: wall}}\nspec: {spec}\n"
    await lab.applied(text)
    await quiet(lab, text)
    assert not any(item.record for item in (await lab.plan(text)).objects)
    plan = await deleted(lab)
    assert options(lab, path) == before
    (note,) = plan.object("Firewall/wall").notes
    assert "options.enable" in note
    assert "stay" in note


async def test_a_field_taken_out_of_the_manifest_stays_too(walled: Any) -> None:
    await walled.applied(BOTH)
    await walled.applied(firewall("policy_forward: DROP"))
    assert options(walled) == {"enable": 1, "policy_forward": "DROP"}


async def test_what_the_release_changed_or_set_goes_to_its_default(walled: Any) -> None:
    walled.cluster.call("PUT", CLUSTER, {"enable": 1, "policy_out": "REJECT"})
    await walled.applied(firewall("enable: on, policy_forward: DROP, policy_out: DROP"))
    await deleted(walled)
    assert options(walled) == {"enable": 1}


async def test_what_is_adopted_goes_with_the_release(walled: Any) -> None:
    _, plan = await walled.engine.adopt([], ["Firewall"], "wall")
    assert (await walled.engine.apply(plan)).ok
    assert walled.writes == []
    assert not any(item.record for item in (await walled.engine.plan((), "wall")).objects)
    await deleted(walled, "wall")
    assert options(walled) == {}


async def test_adopting_makes_what_was_used_together_the_releases_own(walled: Any) -> None:
    await walled.applied(ON)
    _, plan = await walled.engine.adopt([], ["Firewall"], "shop")
    assert (await walled.engine.apply(plan)).ok
    await deleted(walled)
    assert options(walled) == {}


async def test_another_value_in_between_and_a_rollback_change_nothing_of_that(walled: Any) -> None:
    await walled.applied(BOTH)
    await walled.applied(firewall("enable: off"))
    assert options(walled)["enable"] == 0
    assert (await walled.engine.apply(await walled.engine.rollback("shop", 1))).ok
    assert options(walled) == {"enable": 1, "policy_forward": "DROP"}
    await quiet(walled, BOTH)
    await deleted(walled)
    assert options(walled) == {"enable": 1}


async def test_a_value_the_release_gave_is_not_kept_for_having_been_there_before(
    walled: Any,
) -> None:
    await walled.applied(firewall("enable: off"))
    await deleted(walled)
    assert options(walled) == {}


async def test_a_release_that_was_kept_is_what_was_there_before_for_the_next(walled: Any) -> None:
    await walled.applied(BOTH)
    plan = await walled.engine.delete("shop", keep=["Firewall/cluster"])
    assert (await walled.engine.apply(plan)).ok
    await apply_as(walled, "web", BOTH)
    await deleted(walled, "web")
    assert options(walled) == {"enable": 1, "policy_forward": "DROP"}


async def test_all_or_nothing_takes_back_values_and_whose_they_are(walled: Any) -> None:
    text = BOTH + "  aliases: {desk: 192.0.2.66}\n"
    plan = await walled.plan(text)
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, walled, "POST", MADE)
        assert not (await walled.engine.apply(plan, atomic=True)).ok
    assert options(walled) == {"enable": 1}
    await walled.applied(text)
    await deleted(walled)
    assert options(walled) == {"enable": 1}


def refuse(patch: pytest.MonkeyPatch, lab: Any, method: str, path: str) -> None:
    """Let the server refuse one request from now on."""
    handle = lab.recorder.inner.handle_async_request

    async def refusing(request: httpx.Request) -> httpx.Response:
        if (request.method, request.url.path.removeprefix("/api2/json")) == (method, path):
            body = {"data": None, "message": "the disk is full\n"}
            return httpx.Response(500, json=body, request=request)
        answer: httpx.Response = await handle(request)
        return answer

    patch.setattr(lab.recorder.inner, "handle_async_request", refusing)


async def test_the_database_can_be_lost(walled: Any, tmp_path: Path) -> None:
    """Nobody knows then what the release changed, so all that is as declared was there before."""
    await walled.applied(BOTH)
    before = options(walled)
    with State.open(f"sqlite:///{tmp_path / 'new.db'}", now=walled.cluster.clock.now) as state:
        walled.engine = walled.engine_on(state)
        await quiet(walled, BOTH)
        await deleted(walled)
    assert options(walled) == before


@pytest.mark.parametrize("order", ["shop web", "web shop"])
async def test_releases_that_share_what_was_there_before_leave_it(walled: Any, order: str) -> None:
    await apply_as(walled, "shop", BOTH)
    await apply_as(walled, "web", BOTH)
    for release in order.split():
        assert options(walled) == {"enable": 1, "policy_forward": "DROP"}
        await deleted(walled, release)
    assert options(walled) == {"enable": 1}


async def test_what_one_release_set_is_not_before_for_the_next(lab: Any) -> None:
    await apply_as(lab, "shop", BOTH)
    await apply_as(lab, "web", ON)
    await deleted(lab, "shop")
    assert options(lab) == {"enable": 1}
    await deleted(lab, "web")
    assert options(lab) == {}


async def test_a_value_somebody_gave_and_the_manifest_follows_is_shared_with_them(
    lab: Any,
) -> None:
    await lab.applied(firewall("policy_forward: ACCEPT, policy_out: REJECT"))
    lab.cluster.call("PUT", CLUSTER, {"policy_out": "DROP"})
    await lab.applied(firewall("policy_out: DROP"))
    await deleted(lab)
    assert options(lab) == {"policy_out": "DROP"}


async def test_a_field_that_moves_to_another_manifest_takes_along_what_was_before(
    walled: Any,
) -> None:
    await walled.applied(BOTH)
    other = BOTH.replace("name: cluster", "name: walls")
    await walled.applied(firewall("log_ratelimit: enable=1") + other)
    await walled.applied(firewall("log_ratelimit: enable=1") + firewall("").replace(
        "name: cluster", "name: walls"))  # fmt: skip
    assert options(walled) == {"enable": 1, "log_ratelimit": "enable=1"}


@pytest.mark.parametrize("phase", ["intend", "called!", "done", "verified"])
async def test_an_apply_that_died_remembers_it(walled: Any, phase: str) -> None:
    text = BOTH + "  aliases: {desk: 192.0.2.66}\n"
    plan = await walled.plan(text)
    await fall(walled.engine, plan, Moment("Firewall/cluster#configure*", phase))
    assert (await walled.apply(text)).ok
    await deleted(walled)
    assert options(walled) == {"enable": 1}


STORAGE = """
apiVersion: pmpc/v1
kind: Storage
metadata: {name: tank}
spec: {type: nfs, config: {server: 10.77.0.200, export: /tank, content: [iso]%s}}
"""


async def test_a_field_of_a_storage_that_was_there_before_stays(lab: Any) -> None:
    lab.cluster.call("POST", "/storage", {"storage": "tank", "type": "nfs", "export": "/tank",
                                          "server": "10.77.0.200", "content": "iso",
                                          "nodes": "pve1"})  # fmt: skip
    await lab.applied(STORAGE % ", nodes: [pve1]")
    await lab.applied(STORAGE % ", nodes: [pve1], prune-backups: {keep-last: 3}")
    await lab.applied(STORAGE % "")
    row = lab.cluster.call("GET", "/storage/tank")
    assert row["nodes"] == "pve1"
    assert "prune-backups" not in row


async def test_a_field_of_a_storage_we_made_goes(lab: Any) -> None:
    await lab.applied(STORAGE % ", nodes: [pve1]")
    await lab.applied(STORAGE % "")
    assert "nodes" not in lab.cluster.call("GET", "/storage/tank")
