"""Who changed settings behind our back: what was observed of them, and who put it into effect.

PVE keeps no task of an edit of a firewall, a storage or a staged network, so of those there is only
when it was seen. Networks come into effect by a task, and that one has a user.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from pmpc_reconcile.moments import show_moment
from pmpc_reconcile.plans.model import Blame, ObjectPlan
from pmpc_reconcile.plans.settings import KEY
from pmpc_reconcile.values.items import split_item
from pmpc_state import NotRecorded

if TYPE_CHECKING:
    from pmpc_state import LogEntry, State, TaskRecord

Place = tuple[str, str, str | None]
"""Kind and key of what was observed, and the setting of it; None for any."""
_CLUSTER: Final[Mapping[str, str]] = {
    "aliases": "firewall-alias",
    "ipsets": "firewall-ipset",
    "groups": "firewall-group",
}
_SDN: Final[Mapping[str, str]] = {
    "zones": "sdn-zone",
    "vnets": "sdn-vnet",
    "controllers": "sdn-controller",
}


def places_of(item: ObjectPlan, path: str) -> Iterator[Place]:
    """Return where a field of settings may have been observed.

    Args:
        item: The object.
        path: The field: `rules.in ACCEPT`, `vnets.web.tag`.
    """
    scope, _, name = item.evidence.get(KEY, "").partition("/")
    section, key, setting = split_item(path)
    match item.kind:
        case "Storage":
            yield "storage", item.name, setting
        case "Sdn" if section in _SDN:
            yield _SDN[section], key, setting
        case "NodeNetwork":
            yield "node-network", f"{name}/{key}", setting
        case "Firewall" if scope == "guest":
            yield "guest-firewall", f"qemu/{name}", section
            yield "guest-firewall", f"lxc/{name}", section
        case "Firewall" if section in _CLUSTER:  # names have no dots, what is in them may
            named, _, inside = path.removeprefix(f"{section}.").partition(".")
            yield _CLUSTER[section], named, inside if section == "aliases" else None
        case "Firewall":
            kind, owner = ("node-firewall", name) if scope == "node" else ("firewall", "cluster")
            options = section == "options"
            yield (
                f"{kind}-options" if options else f"{kind}-rules",
                owner,
                setting if options else None,
            )
        case _:
            return


def settings_changes(
    state: State, cluster: str, release: str, item: ObjectPlan
) -> dict[str, Blame]:
    """Return who last changed conflicting fields of settings, as far as it was observed.

    Args:
        state: The database.
        cluster: The cluster.
        release: The release; what happened before its last apply is no news.
        item: The object, with its conflicts.
    """
    commit = _commit(state, cluster, release, item)
    found: dict[str, Blame] = {}
    for change in item.conflicts:
        entries = (_seen(state, cluster, place) for place in places_of(item, change.path))
        seen = next((entry for entry in entries if entry is not None), None)
        if commit is not None:
            found[change.path] = Blame(commit.user, commit.upid, show_moment(commit.started_at))
        elif seen is not None:
            found[change.path] = Blame(seen.user, seen.task, show_moment(seen.at))
    return found


def _seen(state: State, cluster: str, place: Place) -> LogEntry | None:
    kind, key, setting = place
    reader = state.reader()
    try:
        resource = reader.resource(cluster, kind, key)
    except NotRecorded:
        return None
    for entry in reversed(reader.log(resource.uid)):
        names = {field.path.partition(".")[0] for field in entry.fields}
        if entry.action == "changed" and (setting is None or setting in names):
            return entry
    return None


def _commit(state: State, cluster: str, release: str, item: ObjectPlan) -> TaskRecord | None:
    """Return the last task that put networks into effect after we did."""
    _, _, node = item.evidence.get(KEY, "").partition("/")
    wanted = {"Sdn": "reloadnetworkall", "NodeNetwork": "srvreload"}.get(item.kind)
    if wanted is None:
        return None
    reader = state.reader()
    ends = [
        run.finished_at for run in reader.journal.runs(cluster, release=release) if run.finished_at
    ]
    try:
        tasks = reader.tasks(cluster, since=max(ends, default=None))
    except NotRecorded:
        return None
    return next(
        (
            task
            for task in tasks
            if task.type == wanted
            and task.status == "OK"
            and (item.kind == "Sdn" or (task.node, task.object_id) == (node, "networking"))
        ),
        None,
    )
