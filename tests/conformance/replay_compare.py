"""Compare the simulator's answer with the recorded one: rules instead of hand-picked masks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.conformance.json_values import as_list, as_object
from tests.conformance.replay_session import Answer

# What differs from run to run, wherever it stands in a sentence.
_MASKS = (
    (re.compile(r"UPID:\w+:[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}:"), "UPID:…:"),
    (re.compile(r"\b[0-9a-f]{40}\b"), "<digest>"),
    (re.compile(r"\bbc:24:11(?::[0-9a-f]{2}){3}\b", re.IGNORECASE), "<mac>"),
    (re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r"\b[0-9A-F]{2}(?::[0-9A-F]{2}){31}\b"), "<fingerprint>"),
    (re.compile(r"\$5\$[^\s$]+\$[\w./]+"), "<password>"),
    (re.compile(r"creation-qemu=[\d.]+,ctime=\d+|pc-\w+-\d+\.\d+"), "<qemu>"),
    (re.compile(r"pveupload-\w+"), "pveupload-…"),
    (re.compile(r"\.tmp\.\d+"), ".tmp.…"),
    (re.compile(r"\b[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\b"), "<time>"),
    (re.compile(r"\d{4}[-_]\d\d[-_]\d\d[-T _]\d\d[_:]\d\d[_:]\d\d"), "<time>"),
    (re.compile(r"Name or service not known|Temporary failure in name resolution"), "<resolver>"),
    (re.compile(r"\b\d+(?:\.\d+)? ?(?:[KMGT]i?B|seconds)\b"), "<amount>"),
)
# Keys whose presence depends on load, age or machine, not on the answer's form.
_COMING_AND_GOING = frozenset(
    ("pressurecpusome", "pressurecpufull", "pressureiosome", "pressureiofull", "memhost",
     "pressurememorysome", "pressurememoryfull", "used", "used_fraction", "exists")
)  # fmt: skip
# Values that depend on time, load, chance or machine; their type still counts.
_VOLATILE = frozenset(
    ("digest", "pid", "pstart", "starttime", "endtime", "ctime", "snaptime", "time", "localtime",
     "timestamp",
     "uptime", "cpu", "mem", "memhost", "netin", "netout", "disk", "diskread", "diskwrite",
     "used", "avail", "available", "free", "total", "used_fraction", "swap", "loadavg", "wait",
     "idle", "flags", "hvm", "saved", "ticket", "uid", "CSRFPreventionToken",
     "fingerprint", "image", "ssl_fingerprint", "next-run", "priority", "pressurecpusome",
     "pressurecpufull", "pressureiosome", "pressureiofull", "pressurememorysome",
     "pressurememoryfull")
)  # fmt: skip
# Which state a guest of /cluster/resources was last broadcast in depends on seconds.
_OF_GUESTS = frozenset(("status",))
# The same for tasks in lists, which are not the same tasks here and there.
_OF_TASKS = frozenset(("saved", "pstart", "pid", "tokenid", "endtime", "status"))
# PVE explains in its own words what a flag of a processor or a machine type is about.
_PROSE = frozenset(("description", "changes"))
# How large an archive is depends on what is in the guest.
_OF_ARCHIVES = frozenset(("size",))
_OF_CONSOLES = frozenset(("port", "password", "cert"))
# Which figure it is counts, not what it says.
_MEASURED = frozenset(("value", "timestamp"))
# Objects whose keys are names, not fields: compared by the values' form only.
_FREE_KEYS = frozenset(
    ("cap", "nics", "blockstat", "ballooninfo", "proxmox-support", "errors", "results", "schema")
)


# PVE itself writes these now as a number, now as a text.
_EITHER_TYPE = frozenset(("saved",))


def mask(text: str) -> str:
    """Replace what differs from run to run."""
    for pattern, stand_in in _MASKS:
        text = pattern.sub(stand_in, text)
    return text.strip()


def differences(record: Mapping[str, Any], answer: Answer) -> list[str]:
    """List how an answer differs from the recorded one; empty if it does not."""
    if answer.status != record["status"]:
        return [f"status {answer.status} ({answer.reason}), recorded {record['status']}"
                f" ({record['reason']})"]  # fmt: skip
    found: list[str] = []
    if mask(answer.reason) != mask(str(record["reason"])):
        found.append(f"reason {answer.reason!r}, recorded {record['reason']!r}")
    theirs, mine = as_object(record.get("body")), as_object(answer.body)
    if theirs is None or mine is None:
        if theirs is not mine:
            found.append(f"body is {kind(answer.body)}, recorded {kind(record.get('body'))}")
        return found
    return found + _bodies(theirs, mine, record)


def _bodies(theirs: dict[str, Any], mine: dict[str, Any], record: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    if theirs.keys() != mine.keys():
        found.append(f"body has {sorted(mine)}, recorded {sorted(theirs)}")
    if mask(str(theirs.get("message", ""))) != mask(str(mine.get("message", ""))):
        found.append(f"message {mine.get('message')!r}, recorded {theirs.get('message')!r}")
    found += _errors(theirs.get("errors") or {}, mine.get("errors") or {})
    if "/tasks/UPID" in str(record["path"]):
        return found + _task(theirs.get("data"), mine.get("data"))
    return found + shapes(theirs.get("data"), mine.get("data"), "data")


def _errors(theirs: dict[str, str], mine: dict[str, str]) -> list[str]:
    if theirs.keys() != mine.keys():
        return [f"errors for {sorted(mine)}, recorded {sorted(theirs)}"]
    # Several complaints about one value stand in no particular order.
    return [
        f"error of {name}: {mine[name]!r}, recorded {text!r}"
        for name, text in theirs.items()
        if sorted(mask(text).splitlines()) != sorted(mask(mine[name]).splitlines())
    ]


def _task(theirs: Any, mine: Any) -> list[str]:
    """Compare how a task ended: the exit status, and the last line of its log."""
    wanted, found = as_object(theirs), as_object(mine)
    if wanted is not None and found is not None:
        if wanted.get("status") == "running":
            # How soon a task ends is a matter of the machine.
            found = {**found, "status": "running"}
            found.pop("exitstatus", None)
            return shapes(wanted, found, "data")
        left, right = str(found.get("exitstatus")), str(wanted.get("exitstatus"))
        if mask(left) != mask(right):
            return [f"task ends {left!r}, recorded {right!r}"]
        return shapes(wanted, found, "data")
    right_lines, left_lines = as_list(theirs), as_list(mine)
    if right_lines is not None and left_lines is not None:
        left, right = _last_line(left_lines), _last_line(right_lines)
        # A page of a long log does not show the end.
        if right and mask(left) != mask(right):
            return [f"log ends {left!r}, recorded {right!r}"]
        return []
    return shapes(theirs, mine, "data")


def _last_line(lines: list[Any]) -> str:
    texts = [str(line.get("t", "")) for line in lines]
    ends = [text for text in texts if text.startswith("TASK ")]
    return ends[0] if ends else ""


def shapes(theirs: Any, mine: Any, where: str) -> list[str]:
    """Compare JSON types, keys and the values that do not depend on the run."""
    if kind(theirs) != kind(mine):
        return [f"{where} is {kind(mine)} {str(mine)[:40]}, recorded {kind(theirs)}"
                f" {str(theirs)[:40]}"]  # fmt: skip
    if (wanted := as_object(theirs)) is not None:
        return _objects(wanted, mine, where)
    if (rows := as_list(theirs)) is not None:
        return _lists(rows, mine, where)
    name = where.rpartition(".")[2]
    if name in _VOLATILE or _same(theirs, mine):
        return []
    if name == "maxdisk" and abs(mine - theirs) <= 0.1 * theirs:
        # A running container's is the file system's, which is smaller than its volume.
        return []
    return [f"{where} is {str(mine)[:80]!r}, recorded {str(theirs)[:80]!r}"]


def _same(theirs: Any, mine: Any) -> bool:
    """Compare scalars; the order in a list of words is PVE's chance."""
    left, right = mask(str(theirs)), mask(str(mine))
    return left == right or sorted(left.split(",")) == sorted(right.split(","))


def _objects(theirs: dict[str, Any], mine: dict[str, Any], where: str) -> list[str]:
    found: list[str] = []
    if where.rpartition(".")[2] in _FREE_KEYS:
        return found
    volatile = _OF_GUESTS if theirs.get("type") in ("qemu", "lxc") else frozenset[str]()
    if "supported-on" in theirs:
        volatile |= _PROSE
    if "metric" in theirs:
        volatile |= _MEASURED
    if "subtype" in theirs:
        volatile |= _OF_ARCHIVES
    if "ticket" in theirs and "port" in theirs:
        volatile |= _OF_CONSOLES
    volatile |= frozenset({"changes"})
    loose = _COMING_AND_GOING | (_OF_TASKS if "upid" in theirs else frozenset[str]())
    missing = theirs.keys() - mine.keys() - loose
    surplus = mine.keys() - theirs.keys() - loose
    if missing:
        found.append(f"{where} lacks {sorted(missing)}")
    if surplus:
        found.append(f"{where} has {sorted(surplus)} too many")
    for name in (theirs.keys() & mine.keys()) - _EITHER_TYPE - volatile:
        found += shapes(theirs[name], mine[name], f"{where}.{name}")
    return found


_IDENTITIES = ("upid", "volid", "id", "sid", "key", "vmid", "storage", "userid", "roleid", "poolid",
               "iface", "name", "node", "ugid", "realm", "groupid", "tokenid",
               "subdir")  # fmt: skip


def _lists(theirs: list[Any], mine: list[Any], where: str) -> list[str]:
    """Pair entries by what names them; without a name compare the sets of forms."""
    if bool(theirs) != bool(mine):
        return [f"{where} has {len(mine)} entries, recorded {len(theirs)}"]
    first = as_object(theirs[0]) if theirs else None
    if first is None:
        forms = {kind(entry) for entry in mine} - {kind(entry) for entry in theirs}
        return [f"{where} has entries of {sorted(forms)}"] if forms else []
    name = next((name for name in _IDENTITIES if name in first), None)
    if name in (None, "upid") or re.fullmatch(r"\d+:\w+", str(first.get(name))):
        # Not the same entry here and there: only its form counts.
        return shapes(_form(theirs[0]), _form(mine[0]), f"{where}[0]")
    left = {_key(entry, name): entry for entry in theirs}
    right = {_key(entry, name): entry for entry in mine}
    found: list[str] = []
    if left.keys() != right.keys():
        surplus, missing = right.keys() - left.keys(), left.keys() - right.keys()
        found.append(f"{where} has {name} {sorted(surplus)} too many, lacks {sorted(missing)}")
    for key in sorted(left.keys() & right.keys()):
        found += shapes(left[key], right[key], f"{where}[{key}]")
    return found


def _key(entry: dict[str, Any], name: str) -> str:
    """Return what names an entry; ids that a server makes up are all the same."""
    text = f"{entry.get(name)} {entry.get('metric', '')}".strip()
    return mask(text) if name == "volid" or mask(text) == "<uuid>" else text


def _form(value: Any) -> Any:
    """Replace an entry's values by stand-ins of their types."""
    found = as_object(value)
    if found is not None:
        return {name: _form(part) for name, part in found.items()}
    stand_ins: dict[str, Any] = {"text": "", "number": 0, "boolean": False, "list": []}
    return stand_ins.get(kind(value))


def kind(value: Any) -> str:
    """Name the JSON type; a text of digits is told apart from other texts only by its value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "object"
