"""Render `api/options/<area>.py`: a class for each structured option."""

from __future__ import annotations

import attrs

from proxmox_client.options.keys import Key as Accepted
from tools.apigen.options import Catalogue, OptionClass
from tools.apigen.text import docstring, head

_TYPES = {
    "s": ("str", "str"),
    "b": ("bool", "bool"),
    "i": ("int", "int"),
    "f": ("float", "float"),
    "z": ("Size", "str | int"),
    "l": ("tuple[str, ...]", "str | Sequence[str]"),
}
_OWNERS = {"qemu": "virtual machines", "lxc": "containers", "": "PVE"}
_OPTION = "OptionValue"


def modules(catalogue: Catalogue, versions: list[str]) -> dict[str, str]:
    """Write all modules, by name."""
    by_module: dict[str, list[OptionClass]] = {}
    for name in sorted(catalogue.classes):
        by_module.setdefault(catalogue.classes[name].module, []).append(catalogue.classes[name])
    found = {name: _module(name, classes, versions) for name, classes in by_module.items()}
    return {**found, "__init__": _index(by_module)}


def _module(name: str, classes: list[OptionClass], versions: list[str]) -> str:
    body = "\n".join(line for one in classes for line in _class(one, versions))
    late = ["    from collections.abc import Mapping"]
    if "Sequence[" in body:
        late[0] += ", Sequence"
    if "Literal[" in body:
        late.append("    from typing import Literal")
    if "Size |" in body:
        late += ["", "    from proxmox_client.options.size import Size"]
    imports = [
        "from typing import TYPE_CHECKING",
        "",
        "from proxmox_client.options.keys import Key",
        f"from proxmox_client.options.value import {_OPTION}",
        "",
        "if TYPE_CHECKING:",
        *late,
    ]
    lines = head(f"Structured options of the area `{name}`, as values.", imports)
    return "\n".join([*lines, "", "", body]).rstrip("\n") + "\n"


def _class(one: OptionClass, versions: list[str]) -> list[str]:
    keys = one.accepted()
    default = one.default_key
    names = ", ".join(f"`{name}`" for name in sorted(one.names))
    lines = [
        f"class {one.name}({_OPTION}):",
        *docstring(
            "    ",
            f"The option {names} of {_OWNERS[one.owner]}.",
            ["Attributes:", *(_described(one, key, versions) for key in keys)],
        ),
        "",
        f"    __slots__ = {_words([key.python for key in keys])}",
        f'    __option__ = "{min(one.names)}"',
    ]
    if default:
        lines.append(f'    __default__ = "{default}"')
        if not one.bare:
            lines.append("    __bare__ = False")
    if one.aliases:
        pairs = ", ".join(f'"{old}": "{new}"' for old, new in one.aliases.items())
        lines.append(f"    __aliases__ = {{{pairs}}}")
    if one.named:
        name, carried, values = one.named
        lines.append(f'    __named__ = ("{name}", "{carried}", frozenset({_words(values)}))')
    lines += ["    __keys__ = (", *(f"        {_key(key)}," for key in keys), "    )", ""]
    lines += [f"    {key.python}: {_annotation(key, 0, optional=not key.required)}" for key in keys]
    return [*lines, "", *_init(one, keys), "", ""]


def _init(one: OptionClass, keys: list[Accepted]) -> list[str]:
    lines = ["    def __init__(", "        self,"]
    positional = keys[:1] if keys[0].name == one.default_key else []
    for key in positional:
        lines.append(f"        {_parameter(key)},")
    lines.append("        *,")
    rest = [key for key in keys if key not in positional]
    lines += [f"        {_parameter(key)}," for key in rest]
    return [
        *lines,
        "        extra: Mapping[str, object] | None = None,",
        "    ) -> None:",
        "        self._fill(locals())",
    ]


def _parameter(key: Accepted) -> str:
    default = "" if key.required else " = None"
    return f"{key.python}: {_annotation(key, 1, optional=not key.required)}{default}"


def _annotation(key: Accepted, way: int, *, optional: bool) -> str:
    """Name the type of a key: way 0 is the attribute's, way 1 what may be given."""
    kind = _TYPES[key.kind][way]
    if key.enum and key.kind == "s":
        kind = f"Literal[{', '.join(_quoted(word) for word in key.enum)}]"
    return f"{kind} | None" if optional else kind


def _described(one: OptionClass, key: Accepted, versions: list[str]) -> str:
    said = [key.allowed]
    if key.required:
        said.append("required")
    if key.name == one.default_key:
        said.append("its name may be left out")
    if key.requires:
        said.append(f"needs {key.requires}")
    facts = one.keys[key.name]
    default = facts.facts.get("default")
    if key.kind == "b" and default in (0, 1):
        default = "true" if default else "false"
    if default is not None and (key.kind != "s" or not key.enum or default in key.enum):
        said.append(f"default {default}" if len(str(default)) < 20 else "")
    if facts.first > one.first:
        said.append(f"since {versions[facts.first]}")
    if facts.last < len(versions) - 1:
        said.append(f"until {versions[facts.last]}")
    text = "; ".join(part for part in said if part).replace("\\", "\\\\")
    return f"    {key.python}: {text[0].upper()}{text[1:]}."


def _key(key: Accepted) -> str:
    given = [_quoted(key.name)]
    if key.kind != "s":
        given.append(_quoted(key.kind))
    for field in attrs.fields(Accepted):
        value = getattr(key, field.name)
        if field.name in ("name", "kind") or value == field.default:
            continue
        shown = _words(list(value)) if field.name == "enum" else _literal(value)
        given.append(f"{field.name}={shown}")
    return f"Key({', '.join(given)})"


def _literal(value: object) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _words(words: list[str]) -> str:
    return f"({', '.join(map(_quoted, words))},)"


def _index(by_module: dict[str, list[OptionClass]]) -> str:
    homes = {one.name: module for module, classes in by_module.items() for one in classes}
    owners: dict[str, dict[str, str]] = {}
    for one in (one for classes in by_module.values() for one in classes):
        for owner in one.owners:
            owners.setdefault(owner, {}).update(dict.fromkeys(sorted(one.names), one.name))
    lines = head("Structured options as values; import them from `proxmox_client.options`.", [])
    lines += ["TYPE_CHECKING = False  # type checkers take it for True", "if TYPE_CHECKING:"]
    lines += [
        f"    from proxmox_client.api.options.{homes[name]} import {name} as {name}"
        for name in sorted(homes)
    ]
    lines += ["", "__all__ = [", *(f'    "{name}",' for name in sorted(homes)), "]", ""]
    lines += ["# Options by owner, then by PVE's name.", "OPTIONS = {"]
    for owner in sorted(owners):
        lines.append(f'    "{owner}": {{')
        lines += [f'        "{n}": "{owners[owner][n]}",' for n in sorted(owners[owner])]
        lines.append("    },")
    lines += ["}", "_HOMES = {"]
    lines += [f'    "{name}": "{homes[name]}",' for name in sorted(homes)]
    lines += [
        "}",
        "",
        "if not TYPE_CHECKING:  # the names are imported above, so a wrong one is an error",
        "",
        "    def __getattr__(name: str) -> object:",
        "        home = _HOMES.get(name)",
        "        if home is None:",
        '            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")',
        "        from importlib import import_module",
        "",
        '        value: object = getattr(import_module(f"{__name__}.{home}"), name)',
        "        globals()[name] = value",
        "        return value",
    ]
    return "\n".join(lines) + "\n"
