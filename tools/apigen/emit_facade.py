"""Render `api/sync/<area>.py` and `api/aio/<area>.py`: the path tree in both colours."""

from __future__ import annotations

import re

import attrs

from tools.apigen.emit_models import Answer
from tools.apigen.merge import Facts, Key, Merged
from tools.apigen.naming import area, attribute, child, constant, resource_class, segments
from tools.apigen.options import Catalogue
from tools.apigen.signature import Argument, arguments, type_of
from tools.apigen.text import docstring, head, privileges

METHODS = ("GET", "POST", "PUT", "DELETE")


@attrs.frozen
class Colour:
    """What differs between the synchronous and the asynchronous tree."""

    package: str
    base: str
    task: str
    define: str
    wait: str


SYNC = Colour("sync", "SyncResource", "Task", "def", "")
AIO = Colour("aio", "AsyncResource", "AsyncTask", "async def", "await ")


@attrs.frozen
class Tree:
    """All paths, with their operations and children.

    Attributes:
        operations: By path, then method.
        children: By path: literal and placeholder segments below it; the root is "".
        answers: How each operation's answer is typed.
        versions: PVE versions, oldest first.
        catalogue: Classes of structured options.
    """

    operations: dict[str, dict[str, Merged]]
    children: dict[str, list[str]]
    answers: dict[Key, Answer]
    versions: list[str]
    catalogue: Catalogue

    def areas(self) -> dict[str, list[str]]:
        """Group the paths by area, in order."""
        grouped: dict[str, list[str]] = {}
        for path in sorted(path for path in self.children if path):
            grouped.setdefault(area(path), []).append(path)
        return grouped


def tree(
    operations: dict[Key, Merged],
    answers: dict[Key, Answer],
    versions: list[str],
    catalogue: Catalogue,
) -> Tree:
    """Build the tree of paths, inner nodes without operations included."""
    by_path: dict[str, dict[str, Merged]] = {}
    children: dict[str, list[str]] = {"": []}
    for (path, method), operation in operations.items():
        by_path.setdefault(path, {})[method] = operation
        above = ""
        for part in segments(path):
            if part not in children[above]:
                children[above].append(part)
            above = f"{above}/{part}"
            children.setdefault(above, [])
    return Tree(by_path, children, answers, versions, catalogue)


def render(whole: Tree, name: str, paths: list[str], colour: Colour) -> str:
    """Write the module of one area in one colour."""
    body = [line for path in paths for line in _resource(whole, path, colour)]
    text = "\n".join(body)
    return (
        "\n".join([*_imports(whole, name, paths, colour, text), "", "", text]).rstrip("\n") + "\n"
    )


def _imports(whole: Tree, name: str, paths: list[str], colour: Colour, text: str) -> list[str]:
    abc = [word for word in ("Mapping", "Sequence") if f"{word}[" in text]
    typing = [
        word
        for word in ("Any", "Literal")
        if f"{word}[" in text or f"{word}]" in text or f"-> {word}" in text
    ]
    late = ["    import builtins"] if "builtins." in text else []
    late += [f"    from collections.abc import {', '.join(abc)}"] if abc else []
    if typing:
        late.append(f"    from typing import {', '.join(typing)}")
    late += [""] if late else []
    if " o." in text:
        late.append("    from proxmox_client import options as o")
    if "m." in text:
        late.append(f"    from proxmox_client.api.models import {name} as m")
    for other, classes in _foreign(whole, name, paths).items():
        late.append(
            f"    from proxmox_client.api.{colour.package}.{other} import {', '.join(classes)}"
        )
    if f"-> {colour.task}:" in text:
        late.append(f"    from proxmox_client.tasks import {colour.task}")
    if "Results[" in text:
        late.append("    from proxmox_client.wire.results import Results")
    imports = ["from typing import TYPE_CHECKING", ""] if late else []
    if "ops." in text:
        imports.append(f"from proxmox_client.api.operations import {name} as ops")
    imports.append(f"from proxmox_client.facade import {colour.base}")
    if late:
        imports += ["", "if TYPE_CHECKING:", *late]
    kind = "synchronous" if colour is SYNC else "asynchronous"
    return head(f"The area `{name}` of the API's path tree, {kind}.", imports)


def _foreign(whole: Tree, name: str, paths: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        for part in whole.children[path]:
            below = f"{path}/{part}"
            if area(below) != name:
                found.setdefault(area(below), []).append(resource_class(below))
    return {key: sorted(found[key]) for key in sorted(found)}


def _resource(whole: Tree, path: str, colour: Colour) -> list[str]:
    operations = whole.operations.get(path, {})
    lines = [
        f"class {resource_class(path)}({colour.base}):",
        *docstring("    ", f"The path `{path}`."),
        "",
        "    __slots__ = ()",
        "",
    ]
    for part in whole.children[path]:
        lines += _child(whole, path, part, colour)
    for method in METHODS:
        if method in operations:
            lines += _method(whole, operations[method], colour)
    if list(operations) == ["POST"] and not whole.children[path]:
        lines += ["    __call__ = post", ""]
    return [*lines, ""]


def _child(whole: Tree, path: str, part: str, colour: Colour) -> list[str]:
    below = f"{path}/{part}"
    target = resource_class(below)
    fetch: list[str] = []
    if area(below) != area(path):
        fetch = [
            f"        from proxmox_client.api.{colour.package}.{area(below)} import {target}",
            "",
        ]
    if part.startswith("{"):
        name = part[1:-1]
        python, kind = attribute(name), _placeholder_type(whole, below, name)
        return [
            f"    def __call__(self, {python}: {kind}) -> {target}:",
            f'        """Go to `{below}`."""',
            *fetch,
            f'        return {target}(self._client, {{**self._path, "{name}": {python}}})',
            "",
        ]
    return [
        "    @property",
        f"    def {child(part)}(self) -> {target}:",
        f'        """Go to `{below}`."""',
        *fetch,
        f"        return {target}(self._client, self._path)",
        "",
    ]


def _plain(facts: Facts) -> None:
    """Find no option: placeholders are plain."""


def _placeholder_type(whole: Tree, path: str, name: str) -> str:
    for other, operations in whole.operations.items():
        if other == path or other.startswith(f"{path}/"):
            for operation in operations.values():
                found = type_of(operation.parameters[name][-1].facts, _plain)
                return "int" if found == "int" else "str"
    return "str"


def _method(whole: Tree, operation: Merged, colour: Colour) -> list[str]:
    keywords = arguments(operation, whole.versions, whole.catalogue)
    shadowed = "list" in whole.children[operation.path]
    answer = whole.answers[operation.path, operation.method]
    verb = "_start" if operation.starts_task else "_call"
    result = colour.task if operation.starts_task else answer.annotation
    if shadowed:  # the path has a child of that name, which hides the type
        result = re.sub(r"\blist\[", "builtins.list[", result)
    name = operation.method.lower()
    pairs = ", ".join(f'"{k.key}": {k.name}' for k in keywords)
    call = f"{colour.wait}self.{verb}(ops.{constant(operation.method, operation.path)}, "
    return [
        *_signature(f"    {colour.define} {name}", keywords, result),
        *docstring(
            "        ",
            f"{operation.method} {operation.path}",
            _notes(operation, keywords, whole.versions),
        ),
        *_call(call, pairs, keywords),
        "",
    ]


def _call(call: str, pairs: str, keywords: list[Argument]) -> list[str]:
    if len(call) + len(pairs) < 84:
        return [f"        return {call}{{{pairs}}})"]
    entries = [f'            "{k.key}": {k.name},' for k in keywords]
    return [
        "        params: dict[str, object] = {",
        *entries,
        "        }",
        f"        return {call}params)",
    ]


def _signature(start: str, keywords: list[Argument], result: str) -> list[str]:
    if not keywords:
        return [f"{start}(self) -> {result}:"]
    lines = [
        f"        {k.name}: {k.annotation}{'' if k.required else ' = None'}," for k in keywords
    ]
    return [f"{start}(", "        self,", "        *,", *lines, f"    ) -> {result}:"]


def _notes(operation: Merged, keywords: list[Argument], versions: list[str]) -> list[str]:
    token = "" if operation.newest.get("allowtoken", 1) else " Not with an API token."
    span = f"Since {versions[operation.first]}."
    if operation.last < len(versions) - 1:
        span = f"Since {versions[operation.first]}, until {versions[operation.last]}."
    notes = [
        f"Privileges: {privileges(operation.newest.get('permissions'))}.{token} {span}",
    ]
    dated = [f"`{k.name}` {k.note}" for k in keywords if k.note]
    if dated:
        notes += ["Keywords of some versions only:", *(f"- {entry}" for entry in dated)]
    return [*notes, "", "Raises:", *_raises(operation, keywords, versions)]


def _raises(operation: Merged, keywords: list[Argument], versions: list[str]) -> list[str]:
    """Say what a method raises, beyond what any call may."""
    refused = [f"`{k.name}` is None" for k in keywords if k.required]
    found = ["    PveError: As any call: see `proxmox_client.errors`."]
    if refused:
        found.append(f"    RequestInvalid: {', '.join(refused)}; nothing is sent.")
    if (
        operation.first
        or operation.last < len(versions) - 1
        or any(keyword.note for keyword in keywords)
    ):
        found.append("    VersionUnsupported: The server's PVE lacks it; nothing is sent.")
    return found
