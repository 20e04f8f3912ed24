"""The filter language of every front door: `kind=qemu and node=pve1 and tags has prod`.

Belongs here: the grammar, its fields and its errors, all pure. Does not belong here: how a filter
becomes SQL (`repositories.selection`).

Whatever is listed has a table of fields: that of resources is fixed, those of typed read models and
of the other lists (plans, runs, tasks …) follow from the types of the values they return.

A filter is made of terms joined by `and`, `or`, `not` and parentheses (`and` binds tighter than
`or`). A term is one of

- `field=value`, `!=`, `<`, `<=`, `>`, `>=`; `~` for "contains", whatever the case;
- `field in (a, b)`;
- `name like web-*`, with `*` and `?`; a name also by the key;
- `tags has prod`, for fields that are lists;
- `lock is set`, `lock is unset`;
- a single word, which is a name, a key or an address: `web`, `100`, `qemu/100`.

Numbers may have a unit (`8G` is 8 * 1024**3). Times are ISO 8601, in UTC unless they say so. A
value with blanks or signs is quoted, and so is one that is a word of the language.
"""

from __future__ import annotations

from pmpc_state.filters.fields import (
    FIELDS,
    RESOURCES,
    Field,
    FieldTable,
    FieldType,
    field_named,
)
from pmpc_state.filters.parsing import parse_filter, parse_sort
from pmpc_state.filters.tables import resource_table, table_of
from pmpc_state.filters.terms import (
    All,
    And,
    Compare,
    Filter,
    Has,
    In,
    IsSet,
    Like,
    Named,
    Not,
    Operator,
    Or,
    Sort,
    Value,
    quoted,
)

__all__ = [
    "FIELDS",
    "RESOURCES",
    "All",
    "And",
    "Compare",
    "Field",
    "FieldTable",
    "FieldType",
    "Filter",
    "Has",
    "In",
    "IsSet",
    "Like",
    "Named",
    "Not",
    "Operator",
    "Or",
    "Sort",
    "Value",
    "field_named",
    "parse_filter",
    "parse_sort",
    "quoted",
    "resource_table",
    "table_of",
]
