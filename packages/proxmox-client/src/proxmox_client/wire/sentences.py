"""PVE's error sentences: the only module that reads them.

PVE answers most refusals with status 500 and a sentence, so the sentence decides. Patterns rest
on the errors recorded from PVE 9.2 (one node and three); they match anywhere in the text because
PVE nests them (`update storage failed: …`, `500 400 Parameter verification failed.`). What no
pattern knows stays a plain `ApiError` with PVE's own words.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Final

import attrs


class Kind(enum.Enum):
    """What a sentence means to a caller."""

    OTHER = enum.auto()
    AUTHENTICATION = enum.auto()
    PERMISSION = enum.auto()
    PARAMETER = enum.auto()
    NOT_FOUND = enum.auto()
    EXISTS = enum.auto()
    NOT_IMPLEMENTED = enum.auto()
    DIGEST = enum.auto()
    LOCKED = enum.auto()
    LOCK_TIMEOUT = enum.auto()
    NO_QUORUM = enum.auto()
    WRONG_STATE = enum.auto()
    AGENT = enum.auto()
    IN_USE = enum.auto()
    PROTECTED = enum.auto()
    FEATURE = enum.auto()
    STORAGE = enum.auto()
    LOCK_TOKEN = enum.auto()
    UNREACHABLE = enum.auto()


@attrs.frozen
class Reading:
    """What could be read from an error.

    Attributes:
        kind: What it means.
        errors: What is said of single parameters.
        lock: The lock in the guest's configuration, where one is named.
        needs: The privilege asked for, where one is named.
        path: The ACL path it is needed on.
        sent: False where the node concerned surely never got the request.
    """

    kind: Kind
    errors: Mapping[str, str] = attrs.field(factory=dict[str, str])
    lock: str = ""
    needs: str = ""
    path: str = ""
    sent: bool = True


_LOCKED: Final = re.compile(r"\b(?:VM|CT|guest)(?: \d+)? is locked(?: \((?P<lock>[\w-]+)\))?")
_PRIVILEGE: Final = re.compile(r"Permission check failed \((?P<path>/[^,()]*), (?P<needs>[^()]+)\)")
_FIELD: Final = re.compile(r"(?P<name>[A-Za-z_][\w.\[\]-]*): (?P<text>.+)")
_NESTED: Final = re.compile(r"\b400 (?:Parameter verification failed|Rule '[^']*' is invalid)\.")

_SENTENCES: Final[tuple[tuple[Kind, re.Pattern[str]], ...]] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (Kind.DIGEST, r"checksum mismatch \(file change by other user\?\)"),
        (Kind.DIGEST, r"detected modified configuration"),
        (Kind.NO_QUORUM, r"\bno quorum\b|No quorum on node"),
        # without quorum /etc/pve is read-only
        (Kind.NO_QUORUM, r"unable to open file '/etc/pve/[^']*' - Permission denied"),
        (Kind.LOCK_TOKEN, r"invalid lock token provided"),
        (Kind.LOCK_TIMEOUT, r"can't lock file '[^']*' - got timeout"),
        (Kind.LOCK_TIMEOUT, r"got lock (?:request )?timeout|lock request timeout"),
        (Kind.AGENT, r"QEMU guest agent is not running|No QEMU guest agent configured"),
        (Kind.IN_USE, r" is not empty\b|\b(?:still in use|is used) by\b|used in HA resources"),
        (Kind.PROTECTED, r"protection mode enabled|cannot remove protected volume"),
        (Kind.PROTECTED, r"auto-generated role '[^']*' cannot be "),
        (Kind.FEATURE, r"\bLinked clone feature\b|snapshot feature is not available"),
        (Kind.FEATURE, r"missing replicate feature|No replicatable volumes found"),
        (Kind.FEATURE, r"can't clone (?:(?:VM|CT) )?to (?:node|non-shared storage) '"),
        (Kind.FEATURE, r"shrinking disks is not supported|unable to shrink disk size"),
        (Kind.FEATURE, r"\bstorage '[^']*' does not support "),
        (Kind.STORAGE, r"\bstorage '[^']*' is (?:not online|disabled)"),
        (Kind.STORAGE, r"\berror fetching datastores - "),
        (Kind.WRONG_STATE, r"can't migrate running (?:VM|container) without "),
        (Kind.WRONG_STATE, r"\bif it's a template\b|convert a template to a template"),
        (
            Kind.WRONG_STATE,
            r"because (?:VM|CT) contains snapshots|in error state, must be disabled",
        ),
        (Kind.WRONG_STATE, r"\b(?:VM|CT|container)(?: \d+)? (?:is |already )?(?:not )?running\b"),
        (Kind.PERMISSION, r"(?:^|: )[Oo]nly root can "),
        (Kind.PARAMETER, r"(?:^|: )no such option '"),
        (Kind.PARAMETER, r"(?:^|: )missing value for required option '"),
        (
            Kind.PARAMETER,
            r"(?:^|: )(?:unexpected property|unknown section type|invalid parameter) '",
        ),
        (Kind.PARAMETER, r"(?:^|: )(?:user|group|role) name '[^']*' is too (?:short|long)"),
        (Kind.PARAMETER, r"(?:^|: )value '[^']*' does not look like a valid "),
        (Kind.PARAMETER, r"(?:^|: )no options specified"),
        (Kind.PARAMETER, r"(?:^|: )unable to parse (?:directory )?volume (?:name|ID) '"),
        (Kind.PARAMETER, r"(?:^|: )unable to modify read-only option"),
        (Kind.PARAMETER, r"(?:^|: )(?:for )?data too large"),
        (Kind.EXISTS, r"\balready (?:exists|defined)\b|failed: File exists"),
        (Kind.EXISTS, r"\bsnapshot name '[^']*' already used"),
        (Kind.NOT_FOUND, r"\b(?:does|do) not exist\b"),
        (
            Kind.NOT_FOUND,
            r"(?:^|: )(?:[Nn]o such (?!file or dir)|unknown node |no rule at position )",
        ),
        (Kind.NOT_FOUND, r"unable to find configuration file for |RRD error: opening '"),
        (Kind.NOT_FOUND, r"hostname lookup '[^']*' failed"),
        (Kind.UNREACHABLE, r"\b(?:595|596) |No route to host|Can't connect to destination address"),
        (Kind.NOT_IMPLEMENTED, r"\bha groups have been migrated to rules"),
        (Kind.NOT_FOUND, r"\bnot HA managed\b|is not a known host of the cluster"),
    )
)
_FIELD_EXISTS: Final = re.compile(r"\balready (?:exists|defined)\b")
_FIELD_MISSING: Final = re.compile(
    r"^(?:no such (?:alias|task|job)\b|interface does not exist|storage '[^']*' does not exist"
    r"|(?:VM|CT) \d+ does not exist)",
    re.IGNORECASE,
)
_NO_SUCH_STORAGE: Final = re.compile(r"^No such storage", re.IGNORECASE)
TRANSIENT: Final = frozenset({502, 503, 504, 595, 596, 597, 598, 599})
"""Statuses that say "somebody on the way could not", not "no"."""
_AT_THE_DOOR: Final = re.compile(
    r"no ticket|invalid PVE(?:\w+)? ?ticket|invalid csrf token", re.IGNORECASE
)
_BY_STATUS: Final = {
    400: Kind.PARAMETER,
    404: Kind.NOT_FOUND,
    413: Kind.PARAMETER,
    414: Kind.PARAMETER,
    501: Kind.NOT_IMPLEMENTED,
}


def read_error(status: int, text: str, errors: Mapping[str, str]) -> Reading:
    """Say what an error answer means.

    Args:
        status: HTTP status.
        text: PVE's whole message, or the reason phrase where there is none.
        errors: The body's `errors`.
    """
    if status == 401:
        return Reading(Kind.AUTHENTICATION, errors)
    if status == 403:
        match = _PRIVILEGE.search(text)
        needs, path = (match["needs"], match["path"]) if match else ("", "")
        return Reading(Kind.PERMISSION, errors, needs=needs, path=path)
    if status in TRANSIENT:
        # 595: the front server got no connection to the node
        return Reading(Kind.UNREACHABLE, errors, sent=status not in (503, 595))
    found = dict(errors)
    nested = _NESTED.search(text)
    if not found and nested:
        found = _read_fields(text[nested.end() :])
    if nested or found or status == 400:
        return Reading(_read_field_kind(found), found)
    sentence = read_sentence(text)
    if sentence.kind is not Kind.OTHER:
        return sentence
    return Reading(_BY_STATUS.get(status, Kind.OTHER), found)


def read_sentence(text: str) -> Reading:
    """Say what a sentence means by itself: an error's reason, a task's exit status.

    Args:
        text: One of PVE's sentences, possibly with others in front of it.
    """
    locked = _LOCKED.search(text)
    if locked:
        return Reading(Kind.LOCKED, lock=locked["lock"] or "")
    for kind, pattern in _SENTENCES:
        if pattern.search(text):
            return Reading(kind)
    return Reading(Kind.OTHER)


def refused_at_the_door(reason: str, message: str) -> bool:
    """Say whether a 401 comes from the front server, before anything was done.

    It sends no body then; the operation's own refusals (a wrong password to confirm something)
    have one.

    Args:
        reason: The reason phrase.
        message: The message in the body, empty where there is none.
    """
    return not message.strip() or _AT_THE_DOOR.search(reason) is not None


def guest_is_elsewhere(text: str) -> bool:
    """Say whether a node refuses because the guest's configuration is not, or no longer, on it.

    Args:
        text: Reason and message.
    """
    return "onfiguration file" in text


def _read_fields(text: str) -> dict[str, str]:
    fields = (_FIELD.fullmatch(line.strip()) for line in text.splitlines())
    return {match["name"]: match["text"] for match in fields if match}


def _read_field_kind(errors: Mapping[str, str]) -> Kind:
    texts = [text.strip() for text in errors.values()]
    if texts and all(_FIELD_EXISTS.search(text) for text in texts):
        return Kind.EXISTS
    if texts and all(_FIELD_MISSING.search(t) or _NO_SUCH_STORAGE.search(t) for t in texts):
        return Kind.NOT_FOUND
    return Kind.PARAMETER
