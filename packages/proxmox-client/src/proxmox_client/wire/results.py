"""Lists of results: plain lists that notebooks show as tables and data frames take as records."""

from __future__ import annotations

from typing import Any, SupportsIndex, TypeVar, overload

from proxmox_client.wire.model import Model

R = TypeVar("R")


class Results(list[R]):
    """What an operation answers that lists objects: a list in every respect.

    An entry that came as no object is kept as it came.

        >>> from proxmox_client.api.models.pools import PoolsItem
        >>> rows = Results([PoolsItem(poolid="web"), PoolsItem(poolid="db")])
        >>> rows.records()  # for pandas.DataFrame, csv.DictWriter, json, …
        [{'poolid': 'web'}, {'poolid': 'db'}]
    """

    __slots__ = ()

    def records(self) -> list[dict[str, Any]]:
        """Return each entry as a dict under PVE's own names, absent fields left out."""
        return [row.to_dict() if isinstance(row, Model) else {"value": row} for row in self]

    @overload
    def __getitem__(self, place: SupportsIndex) -> R: ...
    @overload
    def __getitem__(self, place: slice) -> Results[R]: ...
    def __getitem__(self, place: SupportsIndex | slice) -> R | Results[R]:
        """Return an entry, or a part that is shown the same way."""
        if isinstance(place, slice):
            return Results(super().__getitem__(place))
        return super().__getitem__(place)

    def _repr_html_(self) -> str:
        from proxmox_client.notebook import table

        shown = [row.to_shown() if isinstance(row, Model) else {"value": row} for row in self]
        return table(shown)
