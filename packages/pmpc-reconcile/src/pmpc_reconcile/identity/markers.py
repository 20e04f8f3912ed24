"""The marker: one line in an object's description that says whose it is.

    managed-by: pmpc release=shop object=VirtualMachine/web-1 id=5f2d9c1e7ab04c36

It stands last, so the user's own words stay first; they are never lost. PVE adds a line end to
descriptions and some clients send CR LF: both are tolerated.
"""

from __future__ import annotations

import re
import secrets

import attrs

_LINE = re.compile(
    r"^[ \t]*managed-by: pmpc release=(?P<release>\S+) object=(?P<address>\S+) "
    r"id=(?P<id>[0-9a-f]{16})[ \t]*\r?$",
    re.MULTILINE,
)


@attrs.frozen
class Marker:
    """Whose an object is.

    Attributes:
        release: The release it belongs to.
        address: Its address in the manifests, such as `VirtualMachine/web-1`.
        id: Random, given once when the object is made.
    """

    release: str
    address: str
    id: str

    def line(self) -> str:
        """Return the line that stands in the description."""
        return f"managed-by: pmpc release={self.release} object={self.address} id={self.id}"


def new_marker_id() -> str:
    """Return a new random id of 16 hex digits."""
    return secrets.token_hex(8)


def read_marker(description: str | None) -> Marker | None:
    """Return the marker of a description, None if there is none.

    Several markers, as somebody may paste them, prove nothing: then there is none either.
    """
    found = {
        Marker(match["release"], match["address"], match["id"])
        for match in _LINE.finditer(description or "")
    }
    return found.pop() if len(found) == 1 else None


def strip_marker(description: str | None) -> str:
    """Return the user's own part of a description, empty if there is none."""
    lines = [line for line in (description or "").split("\n") if not _LINE.fullmatch(line)]
    return "\n".join(lines).rstrip("\r\n")


def with_marker(description: str | None, marker: Marker) -> str:
    """Return a description that keeps the user's words and ends with the marker."""
    own = strip_marker(description)
    return f"{own}\n\n{marker.line()}" if own else marker.line()
