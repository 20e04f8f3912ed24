"""Which changes are asked for."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final, Protocol

import attrs

from pmpc_state.values import FieldChange


class _Change(Protocol):
    @property
    def fields(self) -> tuple[FieldChange, ...]: ...
    @property
    def user(self) -> str | None: ...


@attrs.frozen
class Wanted:
    """Conditions on changes; None is no condition.

    Attributes:
        kind: Of this kind of resource.
        key: Of the resource of this key.
        path: In this field or below it: `memory`, `net0`, `pending.cores`; `net*` is a pattern.
        actor: By this user: `alice@pve`, with all tokens of theirs; `alice@pve!ci` for one token;
            patterns too, and `-` for those of which nobody is known.
    """

    kind: str | None = None
    key: str | None = None
    path: str | None = None
    actor: str | None = None

    def matches(self, change: _Change) -> bool:
        """Say whether field and actor are those asked for; the database sees to the rest."""
        return self.touches(change) and self._is_by(change)

    def touches(self, change: _Change) -> bool:
        """Say whether the field asked for changed."""
        if self.path is None:
            return True
        return any(
            one.path.startswith(f"{self.path}.") or fnmatchcase(one.path, self.path)
            for one in change.fields
        )

    def _is_by(self, change: _Change) -> bool:
        if self.actor is None:
            return True
        if change.user is None:
            return self.actor == "-"
        return any(
            fnmatchcase(who, self.actor) for who in (change.user, change.user.partition("!")[0])
        )


EVERYTHING: Final = Wanted()
