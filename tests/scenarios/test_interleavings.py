"""Pain: an edit made in PVE's UI while a tool works is silently overwritten.

Alice edits the guest right before or after requests of ours, any number of times, while a plan is
made and applied. Whatever she does and when: a write of ours changes only what the plan showed,
and only from the value that the plan showed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pmpc_reconcile.kinds import kind
from pmpc_reconcile.plans.model import Plan
from pmpc_reconcile.values import ABSENT, Absent, FieldValue, default_of, live_fields, same

BEFORE = """
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: NAME}
spec:
  source: {clone: {template: debian-13}}
  config:
    cores: 2
    memory: 2048
    onboot: true
    tags: [web]
    net0: {model: virtio, bridge: vmbr0, tag: 20}
    scsi0: {size: 8G}
    cpu: {cputype: host}
"""
AFTER = (
    BEFORE.replace("cores: 2", "cores: 4")
    .replace("2048", "4096")
    .replace("onboot: true", "onboot: false")
    .replace("[web]", "[web, prod]")
    .replace("tag: 20", "tag: 30, rate: 5")
    .replace("8G", "16G")
    .replace("    cpu: {cputype: host}\n", "")
)
VM = kind("VirtualMachine")
Edit = Callable[[Mapping[str, Any]], dict[str, Any]]


def key_of(option: str, key: str, value: str) -> Edit:
    """Return an edit of one key of a property string, as the UI sends it: the whole string."""

    def edited(config: Mapping[str, Any]) -> dict[str, Any]:
        first, *rest = str(config[option]).split(",")
        kept = [part for part in rest if not part.startswith(f"{key}=")]
        return {option: ",".join([first, *kept, f"{key}={value}"])}

    return edited


def tagged(tag: str) -> Edit:
    def edited(config: Mapping[str, Any]) -> dict[str, Any]:
        return {"tags": ";".join(sorted({*str(config.get("tags", tag)).split(";"), tag}))}

    return edited


EDITS: Mapping[str, Edit] = {
    "another value of ours": lambda _: {"cores": 8},
    "what we want": lambda _: {"cores": 4},
    "what was there": lambda _: {"cores": 2},
    "memory": lambda _: {"memory": "3072"},
    "ours unset": lambda _: {"delete": "onboot"},
    "ours gone already": lambda _: {"delete": "cpu"},
    "what we take away": lambda _: {"cpu": "kvm64"},
    "hers": lambda _: {"shares": 77},
    "hers, again": lambda _: {"shares": 78},
    "words": lambda config: {"description": f"alice\n{config['description']}"},
    "a tag": tagged("alice"),
    "our new tag": tagged("prod"),
    "no tags": lambda _: {"delete": "tags"},
    "our key of a card": key_of("net0", "tag", "99"),
    "our new key of a card": key_of("net0", "rate", "9"),
    "her key of a card": key_of("net0", "firewall", "1"),
    "her key of a disk": key_of("scsi0", "discard", "on"),
}


@attrs.frozen
class Moment:
    """Something alice does.

    Attributes:
        request: At which of our requests: by number, or the first of that name.
        after: Whether behind it; else before.
        edit: What she does.
    """

    request: int | str
    after: bool
    edit: str


COUNTS = ("GET /config", "PUT /resize", "PUT /config")
"""Right before: we look, the disk grows, the options are written."""

MOMENTS = st.lists(
    st.builds(Moment, st.integers(0, 20), st.booleans(), st.sampled_from(sorted(EDITS))),
    min_size=1,
    max_size=6,
)


class Alice(httpx.AsyncBaseTransport):
    """Passes requests on, edits in between, and compares the guest around each write of ours."""

    def __init__(self, lab: Any, vmid: int, moments: Sequence[Moment]) -> None:
        self.lab = lab
        self.vmid = vmid
        self.moments = moments
        self.inner = lab.recorder.inner
        self.count = 0
        self.ours: list[tuple[str, FieldValue | Absent, FieldValue | Absent]] = []
        self.hers: dict[str, FieldValue | Absent] = {}
        self.did: list[Moment] = []

    def fields(self) -> dict[str, FieldValue]:
        return dict(live_fields(VM, self.lab.config(self.vmid)))

    def act(self, request: httpx.Request, *, after: bool) -> None:
        name = f"{request.method} /{request.url.path.rpartition('/')[2]}"
        for moment in self.moments:
            its_turn = moment.request in (self.count, name)
            if its_turn and moment.after is after and moment not in self.did:
                self.did.append(moment)
                before = self.fields()
                options = EDITS[moment.edit](self.lab.config(self.vmid))
                self.lab.cluster.edit(self.vmid, user="alice@pve", **options)
                self.hers |= {path: value for path, _, value in differences(before, self.fields())}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.act(request, after=False)
        before = self.fields()
        answer: httpx.Response = await self.inner.handle_async_request(request)
        changed = list(differences(before, self.fields()))
        assert request.method != "GET" or not changed
        self.ours += changed
        for path, _, _ in changed:
            self.hers.pop(path, None)  # from here on it is the plan that has to answer for it
        self.act(request, after=True)
        self.count += 1
        return answer


def differences(
    before: Mapping[str, FieldValue], after: Mapping[str, FieldValue]
) -> Iterator[tuple[str, FieldValue | Absent, FieldValue | Absent]]:
    for path in sorted(before.keys() | after.keys()):
        was, now = before.get(path, ABSENT), after.get(path, ABSENT)
        if path != "config.description" and was != now:
            yield path, was, now


def as_shown(plan: Plan, path: str, was: FieldValue | Absent, now: FieldValue | Absent) -> bool:
    """Return whether the plan showed this very change of a field."""
    for item in plan.objects:
        for change in item.changes:
            if change.path == path:
                return alike(path, change.live, was) and alike(path, change.desired, now)
    return False


def alike(path: str, one: FieldValue | Absent, other: FieldValue | Absent) -> bool:
    usual = default_of(VM, path)
    shown = [usual if isinstance(value, Absent) else value for value in (one, other)]
    return shown[0] == shown[1] or same(VM, path, shown[0], shown[1])


async def play(lab: Any, name: str, moments: Sequence[Moment]) -> Alice:
    """Let alice edit while a change is planned and applied, and check what came of it."""
    before, after = BEFORE.replace("NAME", name), AFTER.replace("NAME", name)
    await lab.applied(before)
    vmid = int(lab.vmid(name))
    inner = lab.recorder.inner
    lab.recorder.inner = alice = Alice(lab, vmid, moments)
    plan = await lab.plan(after)
    report = await lab.engine.apply(plan)
    lab.recorder.inner = inner
    for path, was, now in alice.ours:
        assert as_shown(plan, path, was, now), (path, was, now, plan.explain())
    fields = alice.fields()
    for path, value in alice.hers.items():
        assert fields.get(path, ABSENT) == value, (path, value)
    description = lab.config(vmid)["description"]
    assert description.startswith("alice\n") is any(each.edit == "words" for each in alice.did)
    assert "managed-by: pmpc" in description
    for failure in report.failed:  # what she undid behind our write looks as if it had no effect
        assert "somebody changed it" in failure.reason or "there is no effect" in failure.reason
    await converges(lab, after, vmid)
    return alice


async def converges(lab: Any, text: str, vmid: int) -> None:
    """What is not as declared is a conflict by name, or the next plan's; and then all is well."""
    plan = await lab.plan(text)
    (item,) = [each for each in plan.objects if each.vmid == vmid]
    told = {change.path for change in (*item.changes, *item.conflicts)}
    live = live_fields(VM, lab.config(vmid))
    for path, wanted in item.desired.items():
        now = live.get(path, default_of(VM, path))
        assert path in told or same(VM, path, wanted, now), path
    ours = {f"{item.address}:{change.path}": "ours" for change in item.conflicts}
    assert (await lab.apply(text, resolve=ours)).ok
    assert (await lab.plan(text)).empty


@pytest.mark.parametrize("edit", sorted(EDITS))
def test_each_edit_right_before_what_counts(lab_of: Any, tmp_path: Path, edit: str) -> None:
    async def all_moments() -> None:
        async with lab_of(tmp_path / "state.db") as lab:
            for number, path in enumerate(COUNTS):
                alice = await play(lab, f"web-{number}", [Moment(path, after=False, edit=edit)])
                assert alice.did

    asyncio.run(all_moments())


@given(MOMENTS)
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_interleaving_loses_an_update(
    lab_of: Any, tmp_path_factory: pytest.TempPathFactory, moments: list[Moment]
) -> None:
    async def once() -> None:
        async with lab_of(tmp_path_factory.mktemp("state") / "state.db") as lab:
            await play(lab, "web-1", moments)

    asyncio.run(once())
