"""Find the operation and its handler for a path; everything about it is compiled on first use."""

from __future__ import annotations

import functools
import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from proxmox_client import schema
from proxmox_client.testing import indexes
from proxmox_client.testing.permissions import PermissionCheck, compile_permissions
from proxmox_client.testing.request import Call
from proxmox_client.testing.validation import Validator

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

POINT_RELEASES = {"8.4": "8.4.14", "9.0": "9.0.11", "9.1": "9.1.9", "9.2": "9.2.11"}
"""The versions that can be served, with what they answer as theirs."""

Handler = Callable[["SimulatedCluster", Call], Any]
"""Answers a call: returns the data or a `Reply`, raises `PveFault`, or is a generator function
that yields seconds to wait on the cluster's clock and returns the answer."""

_F = TypeVar("_F", bound=Handler)
_MARK = "__simulated_operations__"
# The last placeholder of these paths takes slashes too (a volume is named 100/vm-100-disk-0.raw).
_GREEDY = frozenset(("volume", "cidr"))
_METHODS = ("GET", "POST", "PUT", "DELETE")


def handles(method: str, path: str) -> Callable[[_F], _F]:
    """Mark a function as the handler of an operation; may be given several times."""

    def mark(function: _F) -> _F:
        marks: list[tuple[str, str]] = getattr(function, _MARK, [])
        setattr(function, _MARK, [*marks, (method, path)])
        return function

    return mark


@functools.cache
def handlers() -> Mapping[tuple[str, str], Handler]:
    """Collect the marked functions of all modules in `handlers`.

    Raises:
        ValueError: Two functions claim one operation, or one claims an unknown operation.
    """
    package = importlib.import_module("proxmox_client.testing.handlers")
    known = {(entry.method, entry.path) for entry in schema.operations()}
    found: dict[tuple[str, str], Handler] = {}
    for module in _modules(package):
        for value in vars(module).values():
            if getattr(value, "__module__", None) != module.__name__:
                continue
            for key in getattr(value, _MARK, ()):
                if key in found or key not in known:
                    raise ValueError(f"{module.__name__} claims {key} twice or wrongly")
                found[key] = value
    return found


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for entry in sorted(pkgutil.iter_modules(package.__path__), key=lambda entry: entry.name):
        yield importlib.import_module(f"{package.__name__}.{entry.name}")


# The top of the tree answers too, though the schema does not list it.
_ROOT = schema.OperationFacts(
    id="get", method="GET", path="/", name="index", since="7.4", until=None, parameters={},
    additional_properties=False, permissions={"user": "all"}, protected=False, allow_token=True,
    proxy_to=None, safety="read", starts_task=False, returns={"type": "array"},
)  # fmt: skip


class Route:
    """One operation of the served version, with what is needed to answer it."""

    def __init__(self, facts: schema.OperationFacts, handler: Handler | None) -> None:
        self.facts = facts
        self.handler = handler
        self.method = facts.method
        self.path = facts.path
        self.protected = facts.protected
        self.proxy_to = facts.proxy_to
        self.open_to_world = (facts.permissions or {}).get("user") == "world"

    @functools.cached_property
    def validator(self) -> Validator:
        """Checks the parameters."""
        return Validator(self.facts)

    @functools.cached_property
    def permission(self) -> PermissionCheck:
        """Checks the caller's privileges."""
        return compile_permissions(
            self.facts.permissions, allow_token=self.facts.allow_token, path=self.path
        )


class _Branch:
    __slots__ = ("children", "greedy", "name", "pattern", "routes", "wild")

    def __init__(self) -> None:
        self.children: dict[str, _Branch] = {}
        self.routes: dict[str, Route] = {}
        self.wild: _Branch | None = None
        self.name = ""
        self.pattern: re.Pattern[str] | None = None
        self.greedy = False


class RouteTable:
    """The API of one PVE version as a tree of path segments."""

    def __init__(self, version: str) -> None:
        if version not in POINT_RELEASES:
            raise ValueError(f"no PVE version {version!r}: there are {', '.join(POINT_RELEASES)}")
        self._root = _Branch()
        found = handlers()
        for facts in schema.operations(version):
            handler = found.get((facts.method, facts.path))
            if handler is None and indexes.is_index(facts.method, facts.path):
                handler = indexes.answer
            self._add(facts, handler)
        self._add(_ROOT, indexes.answer)

    def _add(self, facts: schema.OperationFacts, handler: Handler | None) -> None:
        branch = self._root
        for segment in facts.path.split("/"):
            if not segment:
                continue
            if not segment.startswith("{"):
                branch = branch.children.setdefault(segment, _Branch())
                continue
            if branch.wild is None:
                branch.wild = _Branch()
                branch.wild.name = segment[1:-1]
                branch.wild.greedy = segment[1:-1] in _GREEDY
                if segment == "{tokenid}":
                    branch.wild.pattern = re.compile(r"[A-Za-z][A-Za-z0-9.\-_]+")
            branch = branch.wild
        branch.routes[facts.method] = Route(facts, handler)

    def find(self, method: str, segments: list[str]) -> tuple[Route, dict[str, str]] | None:
        """Find the operation for decoded path segments, with its placeholders' values."""
        branch = self._root
        filled: dict[str, str] = {}
        for index, segment in enumerate(segments):
            child = branch.children.get(segment)
            if child is None:
                child = branch.wild
                if child is None or (child.pattern and not child.pattern.fullmatch(segment)):
                    return None
                if child.greedy:
                    filled[child.name] = "/".join(segments[index:])
                    branch = child
                    break
                filled[child.name] = segment
            branch = child
        route = branch.routes.get(method)
        return None if route is None else (route, filled)
