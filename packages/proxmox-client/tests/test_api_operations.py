"""Every operation, in both colours, builds the request the API facts ask for."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

import httpx
import pytest

from proxmox_client import AsyncClient, Client, RequestInvalid, schema
from proxmox_client.schema import OperationFacts, ParameterFacts, PropertyFormat

TOKEN = "root@pam!test=00000000-0000-0000-0000-000000000000"
UPID = "UPID:pve1:00001E72:00069EF5:6B02FF80:imgdel:150@local2:root@pam!test:"
PLACES = {"vmid": "100", "pos": "0", "upid": UPID, "osdid": "3"}

operations = pytest.mark.parametrize(
    "facts", [pytest.param(entry, id=entry.id) for entry in schema.operations()]
)


def python_name(wire: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", wire.removesuffix("[n]"))


def place(facts: OperationFacts, name: str) -> str:
    return PLACES.get(name, "1" if facts.parameters[name].type == "integer" else "x1")


def step(resource: Any, segment: str, facts: OperationFacts) -> Any:
    """Go one segment down the tree, as a user would."""
    if segment.startswith("{"):
        return resource(place(facts, segment[1:-1]))
    name = segment.replace("-", "_")
    return getattr(resource, name, None) or getattr(resource, f"{name}_")


def method_of(client: Client | AsyncClient, facts: OperationFacts) -> Callable[..., Any]:
    resource: Any = client
    for segment in facts.path.strip("/").split("/"):
        resource = step(resource, segment, facts)
    found: Callable[..., Any] = getattr(resource, facts.method.lower())
    return found


def sample(parameter: ParameterFacts) -> Any:
    if parameter.is_family:
        return {0: "sample"}
    if parameter.type == "array":
        return ["a", "b"]
    if isinstance(parameter.format, PropertyFormat):
        return {next(iter(parameter.format.keys)): "sample"}
    if parameter.is_text_list:
        return ["a", "b"]
    return {"boolean": True, "integer": 7, "number": 1.5}.get(parameter.type, "sample")


def keywords(facts: OperationFacts) -> dict[str, Any]:
    """A value for everything the operation accepts, by Python name."""
    found: dict[str, Any] = {}
    ordered = sorted(facts.parameters.values(), key=lambda p: (p.is_family, p.name))
    for parameter in ordered:
        if not parameter.in_path:
            name = python_name(parameter.name)
            found[f"{name}_n" if name in found else name] = sample(parameter)
    return found


def call(method: Callable[..., Any], facts: OperationFacts) -> Any:
    known = inspect.signature(method).parameters
    given = {n if n in known else f"{n}_": value for n, value in keywords(facts).items()}
    return method(**given)


def expected_path(facts: OperationFacts) -> str:
    return re.sub(r"\{([^}]+)\}", lambda m: place(facts, m[1]), facts.path)


class Wire:
    """An httpx transport that keeps what was sent and answers like PVE."""

    def __init__(self, data: str | None) -> None:
        self.data = data
        self.sent: list[httpx.Request] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return httpx.Response(200, json={"data": self.data})

    def parameters(self) -> dict[str, list[str]]:
        (request,) = self.sent
        text = request.content.decode() or request.url.query.decode()
        found: dict[str, list[str]] = {}
        for key, value in parse_qsl(text, keep_blank_values=True):
            found.setdefault(key, []).append(value)
        return found

    def check(self, facts: OperationFacts) -> None:
        (request,) = self.sent
        assert request.method == facts.method
        assert request.url.path == f"/api2/json{expected_path(facts)}"
        assert self.parameters() == on_the_wire(facts)


def on_the_wire(facts: OperationFacts) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for parameter in facts.parameters.values():
        if parameter.in_path:
            continue
        value = sample(parameter)
        if parameter.is_family:
            found[f"{parameter.stem}0"] = ["sample"]
        elif isinstance(value, list):
            found[parameter.name] = ["a,b"] if parameter.is_text_list else ["a", "b"]
        elif isinstance(value, Mapping):
            (key,) = cast("Mapping[str, str]", value)
            found[parameter.name] = [f"{key}=sample"]
        else:
            found[parameter.name] = ["1" if value is True else str(value)]
    return found


@operations
def test_client_sends_what_the_facts_say(facts: OperationFacts) -> None:
    wire = Wire(UPID if facts.starts_task else None)
    transport = httpx.MockTransport(wire.handle)
    with Client("pve1", token=TOKEN, transport=transport, check_version=False) as client:
        result = call(method_of(client, facts), facts)
    wire.check(facts)
    if facts.starts_task:
        assert str(result.upid) == UPID


@operations
async def test_async_client_sends_what_the_facts_say(facts: OperationFacts) -> None:
    wire = Wire(UPID if facts.starts_task else None)
    transport = httpx.MockTransport(wire.handle)
    async with AsyncClient("pve1", token=TOKEN, transport=transport, check_version=False) as client:
        result = await call(method_of(client, facts), facts)
    wire.check(facts)
    if facts.starts_task:
        assert str(result.upid) == UPID


@operations
def test_both_colours_have_the_same_signature(facts: OperationFacts) -> None:
    wire = Wire(None)
    transport = httpx.MockTransport(wire.handle)
    sync = method_of(Client("pve1", token=TOKEN, transport=transport), facts)
    aio = method_of(AsyncClient("pve1", token=TOKEN, transport=transport), facts)
    plain, coloured = inspect.signature(sync), inspect.signature(aio)
    assert plain.parameters == coloured.parameters
    assert inspect.getdoc(sync) == inspect.getdoc(aio)
    assert inspect.iscoroutinefunction(aio)
    expected = "AsyncTask" if facts.starts_task else plain.return_annotation
    assert coloured.return_annotation == expected


@operations
def test_required_parameters_are_keywords_without_a_default(facts: OperationFacts) -> None:
    client = Client("pve1", token=TOKEN, transport=httpx.MockTransport(Wire(None).handle))
    given = inspect.signature(method_of(client, facts)).parameters
    needed = {p.name for p in facts.parameters.values() if not p.in_path and not p.optional}
    without_default = {n for n, p in given.items() if p.default is inspect.Parameter.empty}
    assert without_default <= {f"{python_name(n)}{end}" for n in needed for end in ("", "_")}
    assert len(without_default) == len(needed)
    assert all(p.kind is inspect.Parameter.KEYWORD_ONLY for p in given.values())


def test_a_post_only_leaf_can_be_called_itself() -> None:
    wire = Wire(UPID)
    with Client("pve1", token=TOKEN, transport=httpx.MockTransport(wire.handle)) as client:
        task = client.nodes("pve1").qemu(100).status.start()
    assert wire.sent[0].url.path == "/api2/json/nodes/pve1/qemu/100/status/start"
    assert str(task.upid) == UPID


def test_numa_and_its_family_go_side_by_side() -> None:
    wire = Wire(None)
    with Client("pve1", token=TOKEN, transport=httpx.MockTransport(wire.handle)) as client:
        client.nodes("pve1").qemu(100).config.put(numa=True, numa_n={0: "cpus=0,memory=512"})
    assert wire.parameters() == {"numa": ["1"], "numa0": ["cpus=0,memory=512"]}


needing = pytest.mark.parametrize(
    "facts",
    [
        pytest.param(entry, id=entry.id)
        for entry in schema.operations()
        if any(not p.optional and not p.in_path for p in entry.parameters.values())
    ],
)


@needing
async def test_what_must_be_given_is_asked_for_before_anything_is_sent(
    facts: OperationFacts,
) -> None:
    needed = [p.name for p in facts.parameters.values() if not p.optional and not p.in_path]
    wire = Wire(None)
    transport = httpx.MockTransport(wire.handle)
    with Client("pve1", token=TOKEN, transport=transport) as client:
        method = method_of(client, facts)
        given = [n for n, p in inspect.signature(method).parameters.items() if p.default is p.empty]
        with pytest.raises(TypeError):
            method()
        for missing in given:
            values = {name: "1" for name in given if name != missing}
            with pytest.raises(RequestInvalid, match="must be given") as caught:
                method(**values, **{missing: None})
            assert any(name in caught.value.why for name in needed)
    async with AsyncClient("pve1", token=TOKEN, transport=transport) as client:
        with pytest.raises(RequestInvalid, match="must be given"):
            await method_of(client, facts)(**dict.fromkeys(given))
    assert wire.sent == []


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("ssh-ed25519 AAAA+/= a@b", "ssh-ed25519%20AAAA%2B%2F%3D%20a%40b"),
        (["ssh-rsa A", "ssh-rsa B\n"], "ssh-rsa%20A%0Assh-rsa%20B"),
        ("ssh-rsa%20A%0A", "ssh-rsa%20A%0A"),
        ("", ""),
    ],
)
def test_ssh_keys_are_encoded_once(given: str | list[str], sent: str) -> None:
    wire = Wire(None)
    with Client("pve1", token=TOKEN, transport=httpx.MockTransport(wire.handle)) as client:
        client.nodes("pve1").qemu(100).config.put(sshkeys=given)
    assert wire.parameters() == {"sshkeys": [sent]}
