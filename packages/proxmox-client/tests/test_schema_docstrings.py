"""Every public name says what it is; every generated method says what it calls and needs."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any

import pytest

import proxmox_client
from proxmox_client import api, facade, schema
from proxmox_client.api import aio, sync

ENDPOINT = re.compile(r"(GET|POST|PUT|DELETE) (/\S+)")
METHODS = ("get", "post", "put", "delete")


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def methods(package: ModuleType, base: type[Any]) -> Iterator[tuple[str, FunctionType]]:
    """Yield every method of the tree that calls an operation."""
    for module in modules(package):
        for name, kind in vars(module).items():
            if inspect.isclass(kind) and issubclass(kind, base) and kind is not base:
                for method in METHODS:
                    if method in vars(kind):
                        yield f"{name}.{method}", vars(kind)[method]


@pytest.mark.parametrize(
    ("package", "base"),
    [(sync, facade.SyncResource), (aio, facade.AsyncResource)],
    ids=["sync", "async"],
)
def test_a_method_names_its_endpoint_privileges_versions_and_errors(
    package: ModuleType, base: type[Any]
) -> None:
    known = {(facts.method, facts.path): facts for facts in schema.operations()}
    seen: set[tuple[str, str]] = set()
    for name, method in methods(package, base):
        text = inspect.getdoc(method) or ""
        endpoint = ENDPOINT.match(text)
        assert endpoint, name
        facts = known[endpoint[1], endpoint[2]]
        seen.add((facts.method, facts.path))
        assert f"Since {facts.since}" in text, name
        assert facts.until is None or facts.until in text, name
        assert "Privileges: " in text, name
        assert "Raises:" in text, name
        assert "PveError" in text, name
    assert seen == known.keys()


@pytest.mark.parametrize("name", sorted(set(dir(proxmox_client)) - set(dir(object()))))
def test_a_public_name_and_its_own_methods_are_described(name: str) -> None:
    value = getattr(proxmox_client, name)
    if name.startswith("_") or not (inspect.isclass(value) or inspect.isfunction(value)):
        return
    assert (inspect.getdoc(value) or "").strip(), name
    if not inspect.isclass(value):
        return
    for own, member in vars(value).items():
        described = member.fget if isinstance(member, property) else member
        if own.startswith("_") or not inspect.isfunction(described):
            continue
        assert (inspect.getdoc(described) or "").strip(), f"{name}.{own}"


def test_generated_packages_say_that_they_are() -> None:
    for package in (api, sync, aio):
        assert "GENERATED" in (package.__doc__ or "")


HELPERS = ("Client", "Guest", "GuestAgent", "GuestSnapshots", "Volumes", "Task", "Console")
SENDS_NOTHING = {
    "Client.observing": "adds an observer",
    "Client.with_timeout": "copies the client",
    "Client.task": "makes a handle",
    "Client.console": "makes a handle",
    "Client.volumes": "makes a handle",
    "Client.close": "closes sockets",
    "Client.aclose": "closes sockets",
}
CALLS_WHAT_IS_GIVEN = {
    "Client.request": "method and path are arguments",
    "Client.call": "the operation is an argument",
    "Client.start": "the operation is an argument",
    "Client.run": "the flow is an argument",
    "Client.update": "the path is an argument",
    "Guest.request": "method and path are arguments",
}
CALLED = re.compile(r"\b(GET|POST|PUT|DELETE) …?(/[^\s,;)`]+)")


def shape(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "{}", path.rstrip("."))


def helper_methods() -> Iterator[tuple[str, FunctionType]]:
    """Yield every public method of the hand-written helpers, in both colours."""
    for name in [*HELPERS, *(f"Async{name}" for name in HELPERS)]:
        helper: type[Any] = getattr(proxmox_client, name)
        for own in dir(helper):
            member = inspect.getattr_static(helper, own)
            if not own.startswith("_") and isinstance(member, FunctionType):
                yield f"{name}.{own}", member


def since_of(method: str, path: str) -> str:
    """Return the first version that has an endpoint, which may be named by its end only."""
    versions = schema.versions()
    found = [
        versions.index(facts.since)
        for facts in schema.operations()
        if facts.method == method and shape(facts.path).endswith(shape(path))
    ]
    assert found, f"no known PVE has {method} {path}"
    return versions[min(found)]


@pytest.mark.parametrize(
    ("name", "method"),
    [found for found in helper_methods() if found[0].removeprefix("Async") not in SENDS_NOTHING],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_helper_names_its_endpoint_privileges_version_and_errors(
    name: str, method: FunctionType
) -> None:
    described = inspect.getdoc(method) or ""
    assert re.search(r"\nRaises:\n    [A-Z]\w+: ", described)
    text = " ".join(described.split())
    assert "Privileges: " in text
    if name.removeprefix("Async") in CALLS_WHAT_IS_GIVEN:
        assert "Since: as the " in text
        return
    called = CALLED.findall(text)
    assert called
    newest = max((since_of(*call) for call in called), key=schema.versions().index)
    assert f"Since {newest}." in text


def test_the_exceptions_name_helpers_that_exist() -> None:
    known = {name.removeprefix("Async") for name, _ in helper_methods()}
    assert (SENDS_NOTHING.keys() | CALLS_WHAT_IS_GIVEN.keys()) <= known
