"""A page of a list, and how one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Self, TypedDict, TypeVar

from pmpc_state.filters import Filter

T = TypeVar("T")


class Page(tuple[T, ...]):
    """Some rows of a list: a tuple that knows what comes before and after it.

    Attributes:
        total: How many there are on all pages.
        offset: How many come before this page.
        next: What to give as `after` for the next page; None on the last. The next page begins
            where this one ends, whatever was added or removed meanwhile.
    """

    total: int
    offset: int
    next: str | None

    def __new__(
        cls,
        items: Iterable[T],
        total: int | None = None,
        offset: int = 0,
        next: str | None = None,  # noqa: A002 - what it is
    ) -> Self:
        """Make a page; without a total it is the only one."""
        made = super().__new__(cls, items)
        made.__dict__.update(
            total=offset + len(made) if total is None else total, offset=offset, next=next
        )
        return made

    @property
    def items(self) -> tuple[T, ...]:
        """The rows."""
        return tuple(self)

    def __getnewargs__(self) -> tuple[Any, ...]:
        return tuple(self), self.total, self.offset, self.next

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a page is frozen: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a page is frozen: {name} cannot be deleted")


class Choice(TypedDict, total=False):
    """Which rows of a list, in which order; what every list takes besides its `limit`.

    Attributes:
        where: A filter in the language of `pmpc_state.filters`; blank for everything.
        sort: Field names, `-` before one for descending; equals stay in the list's own order.
        offset: How many to leave out before.
        after: Go on where a page ended: its `next`. Filter and order must be the same.
        now: The present, for times of the filter such as `-2h`; without it they are mistakes.
    """

    where: str | Filter
    sort: str | Sequence[str]
    offset: int
    after: str | None
    now: datetime | None
