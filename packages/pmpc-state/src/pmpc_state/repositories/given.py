"""Rows given to PostgreSQL as arrays: one statement for thousands of them.

Its driver sends a statement for each row of a list, however many there are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, bindparam, column, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.selectable import TableValuedAlias


def table_of_rows(name: str, like: Table, rows: Sequence[Mapping[str, Any]]) -> TableValuedAlias:
    """Return rows as something to select from, with the types of a table's columns.

    Args:
        name: What to call it in the statement.
        like: The table whose columns they are for.
        rows: Column name to value; all have the same names.
    """
    names = tuple(rows[0])
    arrays = [
        bindparam(f"{name}_{one}", [row[one] for row in rows], type_=ARRAY(like.c[one].type))
        for one in names
    ]
    columns = [column(one, like.c[one].type) for one in names]
    return func.unnest(*arrays).table_valued(*columns, name=name).render_derived()
