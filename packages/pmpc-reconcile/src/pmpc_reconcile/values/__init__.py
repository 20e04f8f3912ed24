"""Values: one canonical form for what a manifest says and for what a server shows.

`normalise(desired) == normalise(live after apply)` is the promise. Here belong the fields an object
has (flat paths to plain values), reading them from manifests and from PVE's configurations, and
writing them as PVE accepts them. Deciding what to change belongs to `diff`.
"""

from __future__ import annotations

from pmpc_reconcile.values.compare import default_of, same
from pmpc_reconcile.values.desired import desired_fields
from pmpc_reconcile.values.fields import (
    ABSENT,
    Absent,
    Fields,
    FieldValue,
    Secret,
    SecretMark,
    from_record,
    join_path,
    split_path,
    to_record,
)
from pmpc_reconcile.values.live import live_fields
from pmpc_reconcile.values.reading import ValueInvalid, read_option
from pmpc_reconcile.values.sizes import format_size, parse_size
from pmpc_reconcile.values.writing import write_option

__all__ = [
    "ABSENT",
    "Absent",
    "FieldValue",
    "Fields",
    "Secret",
    "SecretMark",
    "ValueInvalid",
    "default_of",
    "desired_fields",
    "format_size",
    "from_record",
    "join_path",
    "live_fields",
    "parse_size",
    "read_option",
    "same",
    "split_path",
    "to_record",
    "write_option",
]
