"""Typed read models: the resources of a kind, or of kinds that are alike, as typed values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Generic, TypeVar, Unpack

from pmpc_state.database.transactions import Reading
from pmpc_state.errors import NotRecorded
from pmpc_state.filters import And, Compare, Filter, In, Operator, Value
from pmpc_state.filters.fields import FIELDS
from pmpc_state.readmodels import ReadModel, field_table, read_model
from pmpc_state.repositories import resources
from pmpc_state.repositories.paging import Wish
from pmpc_state.values.page import Choice, Page

ModelT = TypeVar("ModelT", bound=ReadModel)
_AT_ONCE = 500


class ModelReader(Generic[ModelT]):
    """Reads what is recorded of one read model's kinds."""

    def __init__(self, access: Reading, model: type[ModelT]) -> None:
        self._access = access
        self._model = model

    def list(
        self,
        cluster: str,
        *,
        at: datetime | None = None,
        limit: int | None = None,
        **choice: Unpack[Choice],
    ) -> Page[ModelT]:
        """Return what is there, now or at a moment, by kind and key unless sorted otherwise.

        Args:
            cluster: The cluster.
            at: Look at the cluster as of a moment; node, status and usage are those of now.
            limit: How many at most; all if left out.
            choice: Filter, order and page; the fields are those of the model and those all
                resources have.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
            NotRecorded: The cluster is not recorded.
            ValueError: The limit or the offset is negative.
        """
        asked = Wish.of(field_table(self._model), limit, choice)
        where = And((self._kinds(), asked.where))
        wish = Wish(where, asked.sort, asked.limit, asked.offset, asked.after)
        with self._access.reading() as connection:
            page = resources.found(connection, cluster, wish, at)
        found = (read_model(self._model, one) for one in page)
        return Page(found, page.total, page.offset, page.next)

    def each(
        self, cluster: str, *, at: datetime | None = None, **choice: Unpack[Choice]
    ) -> Iterator[ModelT]:
        """Iterate over all of a list, a page at a time, so that memory does not grow with it.

        Raises:
            FilterInvalid: The filter, the order or the marker is not well formed.
            NotRecorded: The cluster is not recorded.
        """
        while True:
            page = self.list(cluster, at=at, limit=_AT_ONCE, **choice)
            yield from page
            if page.next is None:
                return
            choice = Choice(
                where=choice.get("where", ""), sort=choice.get("sort", ()), after=page.next
            )

    def find(self, cluster: str, key: str, *, at: datetime | None = None) -> ModelT | None:
        """Return what has a key, now or at a moment; None if nothing has.

        Raises:
            NotRecorded: The cluster is not recorded.
            ValueError: The model has several kinds, and two have something of that key.
        """
        by_key = Compare(FIELDS["key"], Operator.EQUAL, Value(key))
        found = self.list(cluster, at=at, limit=2, where=by_key)
        if len(found) > 1:
            addresses = ", ".join(one.resource_address for one in found)
            msg = f"cannot tell which {key} is meant: {addresses}"
            raise ValueError(msg)
        return found[0] if found else None

    def get(self, cluster: str, key: str, *, at: datetime | None = None) -> ModelT:
        """Return what has a key, now or at a moment.

        Raises:
            NotRecorded: The cluster is not recorded, or nothing has that key.
            ValueError: The model has several kinds, and two have something of that key.
        """
        found = self.find(cluster, key, at=at)
        if found is None:
            kinds = " or ".join(self._model.KINDS)
            msg = f"cannot find {kinds} {key} in cluster {cluster}; `pmpc sync` looks again"
            raise NotRecorded(msg)
        return found

    def _kinds(self) -> Filter:
        return In(FIELDS["kind"], tuple(Value(kind) for kind in self._model.KINDS))
