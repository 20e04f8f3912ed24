"""Single calls about everything but rules: aliases, sets, security groups, options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

import attrs

from pmpc_reconcile.groups.firewall.state import Alias, Group, IpSet, Level, entry_parameters


@attrs.frozen
class Edit:
    """One call.

    Attributes:
        name: What it is for: `move in ACCEPT … to 3`.
        method: HTTP method.
        below: Path below the level's firewall: `rules/3`.
        guard: Whose digest goes with it: `rules`, `groups/web`, `options`; None for none.
        params: Parameters without the digest.
        after: The level as it is then.
    """

    name: str
    method: str
    below: str
    guard: str | None
    params: Mapping[str, object]
    after: Level


def additions(now: Level, target: Level) -> Iterator[Edit]:
    """Return the calls that make or change aliases, sets and security groups."""
    for name, alias in target.aliases.items():
        before = now.aliases.get(name)
        if before == alias:
            continue
        after = attrs.evolve(now, aliases={**now.aliases, name: alias})
        params: dict[str, object] = {"cidr": alias.cidr, "comment": alias.comment}
        if before is None:
            yield Edit(f"create alias {name}", "POST", "aliases", None,
                       {"name": name, **_present(params)}, after)  # fmt: skip
        else:
            yield Edit(f"set alias {name}", "PUT", f"aliases/{name}", "aliases", params, after)
    for name, ipset in target.ipsets.items():
        yield from _set_additions(now, name, ipset)
    for name, group in target.groups.items():
        known = now.groups.get(name)
        if known is None:
            after = attrs.evolve(now, groups={**now.groups, name: Group((), group.comment)})
            yield Edit(f"create security group {name}", "POST", "groups", None,
                       _present({"group": name, "comment": group.comment}), after)  # fmt: skip
        elif known.comment != group.comment:
            renamed = Group(known.rules, group.comment)
            after = attrs.evolve(now, groups={**now.groups, name: renamed})
            params = {"group": name, "rename": name, "comment": group.comment}
            yield Edit(f"set security group {name}", "POST", "groups", "groups", params, after)


def _set_additions(now: Level, name: str, ipset: IpSet) -> Iterator[Edit]:
    before = now.ipsets.get(name)
    if before is None:
        after = attrs.evolve(now, ipsets={**now.ipsets, name: IpSet({}, ipset.comment)})
        yield Edit(f"create ipset {name}", "POST", "ipset", None,
                   _present({"name": name, "comment": ipset.comment}), after)  # fmt: skip
        return
    if before.comment != ipset.comment:
        after = _with_set(now, name, IpSet(before.entries, ipset.comment))
        yield Edit(f"set ipset {name}", "POST", "ipset", "ipset",
                   {"name": name, "rename": name, "comment": ipset.comment}, after)  # fmt: skip
    for cidr, text in ipset.entries.items():
        if before.entries.get(cidr) == text:
            continue
        after = _with_set(now, name, IpSet({**before.entries, cidr: text}, before.comment))
        params = entry_parameters(text)
        if cidr in before.entries:
            below = f"ipset/{name}/{quote(cidr, safe='')}"
            yield Edit(f"set {cidr} in ipset {name}", "PUT", below, f"ipset/{name}", params, after)
        else:
            yield Edit(f"add {cidr} to ipset {name}", "POST", f"ipset/{name}", None,
                       {"cidr": cidr, **params}, after)  # fmt: skip


def removals(now: Level, target: Level) -> Iterator[Edit]:
    """Return the calls that remove them: entries first, then what is empty."""
    for name, ipset in now.ipsets.items():
        wanted = target.ipsets.get(name)
        for cidr in ipset.entries:
            if wanted is not None and cidr in wanted.entries:
                continue
            rest = {key: text for key, text in ipset.entries.items() if key != cidr}
            after = _with_set(now, name, IpSet(rest, ipset.comment))
            below = f"ipset/{name}/{quote(cidr, safe='')}"
            verb = f"remove {cidr} from ipset {name}"
            yield Edit(verb, "DELETE", below, f"ipset/{name}", {}, after)
        if wanted is None and not ipset.entries:
            left = {key: value for key, value in now.ipsets.items() if key != name}
            yield Edit(f"delete ipset {name}", "DELETE", f"ipset/{name}", None, {},
                       attrs.evolve(now, ipsets=left))  # fmt: skip
    for name, group in now.groups.items():
        if name in target.groups:
            continue
        if group.rules:
            after = now.with_list(name, group.rules[1:])
            yield Edit(f"delete {name}: {group.rules[0].match}", "DELETE", f"groups/{name}/0",
                       f"groups/{name}", {}, after)  # fmt: skip
            continue
        others = {key: value for key, value in now.groups.items() if key != name}
        yield Edit(f"delete security group {name}", "DELETE", f"groups/{name}", None, {},
                   attrs.evolve(now, groups=others))  # fmt: skip
    for name in now.aliases:
        if name not in target.aliases:
            rest_of: dict[str, Alias] = {k: v for k, v in now.aliases.items() if k != name}
            yield Edit(f"delete alias {name}", "DELETE", f"aliases/{name}", "aliases", {},
                       attrs.evolve(now, aliases=rest_of))  # fmt: skip


def option_edits(now: Level, target: Level) -> Iterator[Edit]:
    """Change options at once, or one by one where that helps: an open policy, then the switch."""
    names = sorted(
        name
        for name in now.options.keys() | target.options.keys()
        if now.options.get(name) != target.options.get(name)
    )
    if names:
        yield _option_edit(now, target, names)
    for name in names if len(names) > 1 else ():
        yield _option_edit(now, target, [name])


def _option_edit(now: Level, target: Level, names: Sequence[str]) -> Edit:
    options = {name: text for name, text in now.options.items() if name not in names}
    changed = {name: target.options[name] for name in names if name in target.options}
    gone = [name for name in names if name not in target.options]
    params: dict[str, object] = {**changed, **({"delete": ",".join(gone)} if gone else {})}
    after = attrs.evolve(now, options={**options, **changed})
    return Edit(f"set options {', '.join(names)}", "PUT", "options", "options", params, after)


def _with_set(level: Level, name: str, ipset: IpSet) -> Level:
    return attrs.evolve(level, ipsets={**level.ipsets, name: ipset})


def _present(params: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in params.items() if value != ""}
