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


HELPERS = ("Guest", "GuestAgent", "GuestSnapshots", "Volumes", "Task", "Console")
STREAMS = {"AsyncConsole.terminal", "AsyncConsole.vnc"}


@pytest.mark.parametrize("name", [*HELPERS, *(f"Async{name}" for name in HELPERS)])
def test_a_helper_names_its_privileges_and_errors(name: str) -> None:
    described = 0
    helper: type[Any] = getattr(proxmox_client, name)
    for own, member in vars(helper).items():
        if own.startswith("_") or not inspect.isfunction(member) or f"{name}.{own}" in STREAMS:
            continue
        text = inspect.getdoc(member) or ""
        assert "Privileges: " in text, f"{name}.{own}"
        twin = f"`{name.removeprefix('Async')}.{own}`"  # whose description says the rest
        assert "Raises:" in text or twin in text, f"{name}.{own}"
        described += 1
    assert described >= 3, name
