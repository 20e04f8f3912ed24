"""Pain: secrets in state (bpg#789)."""

from __future__ import annotations

import base64
import html
import json
import logging
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from pmpc_reconcile.actions import ActionContext, invoke, to_plain
from pmpc_reconcile.actions.apply import ApplyInput
from pmpc_reconcile.actions.plan import PlanInput
from pmpc_reconcile.errors import PlanRefused
from proxmox_client.testing.faults import Answer, Where

PASSWORD = "Tr0ub4dor-and-3"
VM = f"""
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {{name: web-1}}
spec:
  source: {{clone: {{template: debian-13}}}}
  config:
    ide2: {{storage: local-lvm, cloudinit: true}}
    ciuser: me
    cipassword: {PASSWORD}
"""


async def test_a_password_is_sent_and_is_nowhere_else(lab: Any, tmp_path: Any) -> None:
    plan = await lab.plan(VM)
    assert not plan.errors, plan.explain()
    shown = [repr(plan), plan.explain(), plan.to_json()]
    report = await lab.engine.apply(plan)
    assert report.ok, [item.reason for item in report.failed]
    shown += [repr(report), repr(lab.events)]
    assert "cipassword" in lab.config(int(lab.vmid("web-1")))
    assert all(PASSWORD not in text for text in shown)
    lab.state.close()
    for path in tmp_path.iterdir():
        assert PASSWORD.encode() not in path.read_bytes()


async def test_an_unchanged_password_is_not_sent_again(lab: Any) -> None:
    await lab.applied(VM)
    lab.forget_writes()
    assert (await lab.plan(VM)).empty
    changed = await lab.plan(VM.replace(PASSWORD, "another-one"))
    assert [change.path for change in changed.objects[0].changes] == ["config.cipassword"]
    assert (await lab.engine.apply(changed)).ok
    assert (await lab.plan(VM.replace(PASSWORD, "another-one"))).empty
    assert len(lab.writes) == 1


async def test_a_stored_plan_cannot_write_a_password_and_says_so_beforehand(lab: Any) -> None:
    plan = await lab.engine.stored_plan((await lab.plan(VM)).id)
    assert plan.withheld == ("VirtualMachine/web-1 config.cipassword",)
    with pytest.raises(PlanRefused, match="apply the manifests instead"):
        await lab.engine.apply(plan)
    assert lab.writes == []


async def test_a_plan_in_memory_still_has_its_password(lab: Any) -> None:
    context = ActionContext(
        "lab", lab.state, lab.client, lab.cluster.clock.now, lab.cluster.clock.asleep
    )
    planned = await invoke("plan", context, PlanInput(text=VM, release="shop"))
    assert planned.plan.withheld == ()
    assert PASSWORD not in str(to_plain(ApplyInput(plan=planned.plan)))
    done = await invoke("apply", context, ApplyInput(plan=planned.plan))
    assert done.report.ok
    assert (await lab.plan(VM)).empty


CT = """
apiVersion: pmpc/v1
kind: Container
metadata: {{name: ct-{number}}}
spec:
  source: {{template: "local:vztmpl/debian-13-standard.tar.zst"}}
  config: {{password: {word}, rootfs: {{storage: local-lvm, size: 1G}}}}
"""
SHARE = """
apiVersion: pmpc/v1
kind: Storage
metadata: {{name: share-{number}}}
spec:
  type: cifs
  config: {{server: 10.77.0.200, share: tank, username: ada, password: {word}, content: [iso]}}
"""


def forms(word: str) -> set[str]:
    """Return how a secret could stand somewhere."""
    raw = word.encode()
    return {
        word,
        quote(word, safe=""),
        quote_plus(word),
        json.dumps(word)[1:-1],
        html.escape(word),
        base64.b64encode(raw).decode().rstrip("="),
        raw.hex(),
    }


def manifest_with(number: int, word: str) -> str:
    """Return a machine, a container or a storage whose secret is a word."""
    match number % 3:
        case 0:
            return VM.replace("web-1", f"web-{number}").replace(PASSWORD, word)
        case 1:
            return CT.format(number=number, word=word)
        case _:
            return SHARE.format(number=number, word=word)


def hundred() -> tuple[list[str], str]:
    """Return secrets of three kinds, with characters that get escaped, and manifests of them."""
    words = [f'Tr0ub4dor & "{number:03}"/{number * 7919 % 10007}%é' for number in range(100)]
    texts = [
        manifest_with(number, json.dumps(word, ensure_ascii=False))
        for number, word in enumerate(words)
    ]
    return words, "---".join(texts)


async def test_a_hundred_secrets_are_nowhere(lab: Any, tmp_path: Any, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    words, text = hundred()
    bodies: list[str] = []
    ask = lab.recorder.inner.handle_async_request

    async def listening(request: Any) -> Any:
        bodies.append(request.content.decode())
        return await ask(request)

    lab.recorder.inner.handle_async_request = listening
    plan = await lab.plan(text)
    assert not plan.errors, plan.explain()
    shown = [repr(plan), plan.explain(), plan.to_json(), plan.to_graph("dot"), str(plan)]
    lab.cluster.faults.add(Answer(500, "no space left", Where("POST", "*/lxc", times=5)))
    report = await lab.engine.apply(plan)
    assert report.failed
    again = await lab.plan(text)
    report_again = await lab.engine.apply(again)
    shown += [repr(report), str(report), repr(report_again), repr(lab.events), again.to_json()]
    shown += [caplog.text, repr(await lab.engine.history("shop"))]
    shown += [repr(await lab.engine.stored_plans()), repr(await lab.engine.stored_plan(plan.id))]
    shown += [repr(lab.engine.__dict__), repr(again.manifests)]
    for word in words:
        assert any(form in body for form in forms(word) for body in bodies), "it has to be sent"
    lab.state.close()
    stored = [path.read_bytes() for path in tmp_path.iterdir()]
    assert any(b"cipassword" in content for content in stored)
    for word in words:
        for form in forms(word):
            assert not any(form in each for each in shown), form
            assert not any(form.encode() in content for content in stored), form
