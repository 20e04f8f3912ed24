"""Every operation of every version answers, and as PVE does: path, credentials, parameters."""

from __future__ import annotations

import functools
import re
from typing import Any

import pytest

from proxmox_client import schema
from proxmox_client.testing import SimRequest, SimResponse, SimulatedCluster, indexes
from proxmox_client.testing.complaints import MISSING, UNKNOWN
from proxmox_client.testing.routing import handlers

pytestmark = pytest.mark.conformance
VERSIONS = ("8.4", "9.0", "9.1", "9.2")
# Operations that cannot have an answer, with the reason; the list may only shrink.
WITHOUT_ANSWER: dict[tuple[str, str], str] = {}
_FILLED = {
    "node": "pve1", "vmid": "9999", "storage": "local", "userid": "none@pve", "tokenid": "none",
    "realm": "pam", "service": "cron", "flag": "noout", "sid": "vm:9999", "pos": "0",
    "cidr": "192.0.2.0", "iface": "vmbr9", "upid": "UPID:pve1:0:0:0:x::root@pam:", "id": "none",
    "pci-id-or-mapping": "0000:00:01.0", "volume": "iso/none.iso", "order": "1", "osdid": "0",
    "url_seq": "5", "subnet": "z1-192.0.2.0-24", "disk": "none", "fabric": "none",
}  # fmt: skip
_JOB = {"/cluster/replication/{id}", "/nodes/{node}/replication/{id}"}


@functools.cache
def operations(version: str) -> tuple[schema.OperationFacts, ...]:
    return tuple(
        facts
        for facts in schema.operations(version)
        if (facts.method, facts.path) not in WITHOUT_ANSWER
    )


def filled(path: str) -> str:
    """Fill in a path's placeholders with names of things that are not there."""
    if any(path.startswith(prefix) for prefix in _JOB):
        path = path.replace("{id}", "100-0")
    return re.sub(r"\{([^}]+)\}", lambda found: _FILLED.get(found[1], "none"), path)


@functools.cache
def cluster_of(version: str) -> SimulatedCluster:
    cluster = SimulatedCluster(version=version)
    cluster.access.users["root@pam"].password = "a-password"
    cluster.call("POST", "/access/users", {"userid": "nobody@pve", "password": "nobody12"})
    return cluster


def ask(
    version: str, facts: schema.OperationFacts, user: str, params: dict[str, Any] | None = None
) -> SimResponse:
    cluster = cluster_of(version)
    now = cluster.clock.now()
    headers = {}
    if user:
        headers = {
            "cookie": f"PVEAuthCookie={cluster.auth.ticket(user, now)}",
            "csrfpreventiontoken": cluster.auth.csrf(user, now),
        }
    return cluster.handle(SimRequest(facts.method, filled(facts.path), params or {}, headers))


def label(facts: schema.OperationFacts) -> str:
    return f"{facts.method} {facts.path}"


@pytest.mark.requirement("operations.all")
@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_has_a_behaviour_or_a_reason(version: str) -> None:
    known = handlers()
    silent = {
        (facts.method, facts.path)
        for facts in schema.operations(version)
        if (facts.method, facts.path) not in known
        and not indexes.is_index(facts.method, facts.path)
    }
    assert silent - WITHOUT_ANSWER.keys() == set()


@pytest.mark.requirement("operations.all")
def test_reasons_stand_only_for_operations_without_a_behaviour() -> None:
    every = {(facts.method, facts.path) for facts in schema.operations()}
    assert WITHOUT_ANSWER.keys() - every == set()
    assert WITHOUT_ANSWER.keys() & handlers().keys() == set()
    assert all(len(reason.split()) > 1 for reason in WITHOUT_ANSWER.values())


@pytest.mark.requirement("operations.form")
@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_answers_root_in_pves_form(version: str) -> None:
    """Asked for what is not there and without parameters: data or a message, never 501."""
    wrong: list[str] = []
    for facts in operations(version):
        answer = ask(version, facts, "root@pam")
        if answer.status == 200:
            continue
        document = answer.json()
        message = str(document.get("message", "")).split("\n", 1)[0]
        if answer.status not in (400, 403, 404, 424, 500) or not message:
            wrong.append(f"{label(facts)}: {answer.status} {answer.reason}")
        elif answer.reason != message:
            wrong.append(f"{label(facts)}: reason {answer.reason!r}, message {message!r}")
        elif answer.status == 400 and "errors" in document:
            wrong += _unfounded(facts, document["errors"])
    assert wrong == []


def _unfounded(facts: schema.OperationFacts, errors: dict[str, str]) -> list[str]:
    """Complaints about missing parameters that are none; each missing one has its complaint."""
    missing = {name for name, text in errors.items() if text == MISSING}
    required = {
        name
        for name, parameter in facts.parameters.items()
        if not parameter.optional and not parameter.in_path and not parameter.type_property
    }
    found = [f"{label(facts)}: {name} is not required" for name in missing - required]
    bad_path = any(name in errors for name, part in facts.parameters.items() if part.in_path)
    if missing and not bad_path and not any(p.one_of for p in facts.parameters.values()):
        simple = {name for name in required if not facts.parameters[name].instance_types}
        found += [f"{label(facts)}: no complaint about {name}" for name in simple - errors.keys()]
    return found


@pytest.mark.requirement("operations.parameters")
@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_refuses_a_parameter_it_does_not_know(version: str) -> None:
    wrong: list[str] = []
    for facts in operations(version):
        answer = ask(version, facts, "root@pam", {"no-such-parameter": "1"})
        if facts.additional_properties or not answer.body:
            continue
        errors: dict[str, str] = answer.json().get("errors") or {}
        if answer.status != 400 or errors.get("no-such-parameter") != UNKNOWN:
            wrong.append(f"{label(facts)}: {answer.status} {answer.reason} {errors}")
    assert wrong == []


@pytest.mark.requirement("operations.credentials")
@pytest.mark.parametrize("version", VERSIONS)
def test_every_operation_wants_credentials_and_privileges(version: str) -> None:
    """Without credentials 401; without privileges 403 where the schema names some."""
    wrong: list[str] = []
    for facts in operations(version):
        user = (facts.permissions or {}).get("user")
        stranger = ask(version, facts, "").status
        if user == "world" and stranger == 401:
            if facts.path != "/access/openid/login":
                wrong.append(f"{label(facts)}: refuses the world")
        elif user != "world" and stranger != 401:
            wrong.append(f"{label(facts)}: {stranger} without credentials")
        if user is None:
            powerless = ask(version, facts, "nobody@pve").status
            # A few checks look at the object first: a wrong path, a user or pool that is not there.
            if powerless not in (400, 403, 500):
                wrong.append(f"{label(facts)}: {powerless} without privileges")
    assert wrong == []


@pytest.mark.requirement("operations.versions")
@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_version_does_not_have_is_not_implemented(version: str) -> None:
    here = {(facts.method, facts.path) for facts in schema.operations(version)}
    greedy = ("{volume}", "{cidr}")
    for facts in schema.operations():
        if (facts.method, facts.path) in here or facts.path.endswith(greedy):
            continue
        answer = ask(version, facts, "root@pam")
        text = f"Method '{facts.method} {filled(facts.path)}' not implemented"
        assert (answer.status, answer.reason) == (501, text)
