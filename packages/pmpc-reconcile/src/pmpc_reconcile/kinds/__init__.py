"""Kinds: what an object is, as data: its paths, identity, options and what each option accepts.

Here belong the definitions of the kinds, and the options they draw from the API facts of a server's
version together with what those facts do not say (defaults by meaning, generated parts, options
that only a creation accepts). Reading, comparing and writing values belongs to `values`.
"""

from __future__ import annotations

from pmpc_reconcile.kinds.definition import Kind
from pmpc_reconcile.kinds.option import (
    Option,
    OptionSet,
    PropertyKey,
    Scalar,
    Shape,
    ValueType,
)
from pmpc_reconcile.kinds.options import options_of
from pmpc_reconcile.kinds.registry import kind, kinds

__all__ = [
    "Kind",
    "Option",
    "OptionSet",
    "PropertyKey",
    "Scalar",
    "Shape",
    "ValueType",
    "kind",
    "kinds",
    "options_of",
]
