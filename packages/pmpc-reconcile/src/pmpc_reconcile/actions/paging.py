"""What every list can be asked for: a filter, an order, a page."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.errors import InputInvalid

if TYPE_CHECKING:
    from pmpc_state import Choice


@attrs.frozen(kw_only=True)
class PartInput:
    """Which part of a long answer.

    Attributes:
        limit: At most so many; all by default.
        after: Go on where a part ended: the `next` of its answer.
    """

    limit: int | None = attrs.field(default=None, metadata={"help": "at most so many"})
    after: str | None = attrs.field(default=None, metadata={"help": "go on after this marker"})


@attrs.frozen(kw_only=True)
class PageInput(PartInput):
    """Which rows of a list, in which order.

    Attributes:
        filter: What must hold, in the language of filters: `status=failed and release=shop`.
        sort: Field to sort by, `-status` for descending; several with commas.
        offset: Leave out so many before.
    """

    filter: str = attrs.field(default="", metadata={"help": "such as: status=failed and x~web"})
    sort: str = attrs.field(
        default="", metadata={"help": "field to sort by; -name for descending; several with commas"}
    )
    offset: int = attrs.field(default=0, metadata={"help": "leave out so many before"})


def choice_of(value: PageInput, now: Callable[[], float]) -> Choice:
    """Return what a list of the state is asked for."""
    return {
        "where": value.filter,
        "sort": [name.strip() for name in value.sort.split(",") if name.strip()],
        "offset": value.offset,
        "after": value.after,
        "now": datetime.fromtimestamp(now(), UTC),
    }


@contextmanager
def understood() -> Generator[None, None, None]:
    """Tell mistakes of a filter, an order or a marker as mistakes of the input.

    Raises:
        InputInvalid: Instead of what the state raises.
    """
    from pmpc_state import FilterInvalid

    try:
        yield
    except FilterInvalid as error:
        raise InputInvalid(str(error)) from error
    except ValueError as error:
        raise InputInvalid(f"cannot list: {error}") from error
