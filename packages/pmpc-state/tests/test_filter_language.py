"""The filter language: reading it, and what it says about mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmpc_state import FilterInvalid, parse_filter, parse_sort
from pmpc_state.filters import (
    FIELDS,
    All,
    And,
    Compare,
    FieldType,
    Filter,
    Has,
    In,
    IsSet,
    Named,
    Not,
    Operator,
    Or,
    Value,
)


def test_and_binds_tighter_than_or() -> None:
    found = parse_filter("kind=qemu and node=pve1 or tags has prod")
    kind, node, tags = FIELDS["kind"], FIELDS["node"], FIELDS["tags"]
    assert found == Or(
        (
            And(
                (
                    Compare(kind, Operator.EQUAL, Value("qemu")),
                    Compare(node, Operator.EQUAL, Value("pve1")),
                )
            ),
            Has(tags, Value("prod")),
        )
    )


@pytest.mark.parametrize(
    ("text", "number"),
    [("8G", 8 << 30), ("1.5k", 1536), ("512", 512), ("2TiB", 2 << 40), ("-1", -1)],
)
def test_numbers_may_have_units(text: str, number: float) -> None:
    found = parse_filter(f"mem>{text}")
    assert isinstance(found, Compare)
    assert found.value.number == number


def test_blank_matches_everything_and_a_word_is_a_name() -> None:
    assert parse_filter("  ") == All()
    assert parse_filter("qemu/100") == Named("qemu/100")
    assert parse_filter('"not"') == Named("not")


@pytest.mark.parametrize(
    ("text", "column", "reason"),
    [
        ("kind=", 6, "expected a value"),
        ("kind=qemu node=pve1", 11, "expected `and`, `or` or the end, not `node`"),
        ("nod=pve1", 1, "there is no field nod; did you mean node?"),
        ("kind=qemu and (node=pve1", 25, "expected `)`, not the end"),
        ("mem>much", 5, "mem is a number"),
        ("node>5", 6, "node is no number"),
        ("kind='qemu", 6, "this quotation is not closed"),
        ("known=perhaps", 7, "known is yes or no"),
        ("kind in qemu", 9, "expected `(` after `in`"),
        ("kind in (qemu", 14, "expected `,` or `)`"),
        ("lock is here", 9, "expected `set` or `unset`"),
        ("and", 1, "expected a field or a name"),
        ("config.cores>many", 14, "expected a number after >"),
        ("not", 4, "expected a field or a name, not the end"),
    ],
)
def test_mistakes_are_told_with_their_column(text: str, column: int, reason: str) -> None:
    with pytest.raises(FilterInvalid) as caught:
        parse_filter(text)
    assert (caught.value.column, reason in caught.value.reason) == (column, True), caught.value
    assert str(caught.value).endswith(" " * (column + 1) + "^")


def test_every_field_is_in_the_reference() -> None:
    reference = Path(__file__).parents[3] / "docs/reference/filters.md"
    said = reference.read_text(encoding="utf-8")
    assert [name for name in FIELDS if f"`{name}`" not in said] == []


def test_a_filter_nested_without_end_is_refused() -> None:
    with pytest.raises(FilterInvalid, match="nested too deeply"):
        parse_filter("(" * 5000 + "web" + ")" * 5000)


def test_a_sort_order_names_fields() -> None:
    [first, second] = parse_sort(["-mem", "name"])
    assert (first.field.name, first.descending) == ("mem", True)
    assert (second.field.name, second.descending) == ("name", False)
    with pytest.raises(FilterInvalid, match="did you mean name"):
        parse_sort(["-nam"])


_TEXTS = st.text(st.sampled_from("ab1 ;,\"'\\()=~<>/.:G"), min_size=1, max_size=6)
_FIELDS = st.sampled_from([field for field in FIELDS.values() if field.type is FieldType.TEXT])


def _value(text: str) -> Value:
    found = parse_filter(f"name={Value(text)}")
    assert isinstance(found, Compare)
    return found.value


_VALUES = _TEXTS.map(_value)
_LEAVES: st.SearchStrategy[Filter] = st.one_of(
    _TEXTS.map(Named),
    st.builds(
        Compare,
        _FIELDS,
        st.sampled_from([Operator.EQUAL, Operator.UNEQUAL, Operator.CONTAINS]),
        _VALUES,
    ),
    st.builds(Has, _FIELDS, _VALUES),
    st.builds(In, _FIELDS, st.lists(_VALUES, min_size=1, max_size=3).map(tuple)),
    st.builds(IsSet, _FIELDS, st.booleans()),
)


def _combined(parts: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(several.map(And), several.map(Or), parts.map(Not))


@given(st.recursive(_LEAVES, _combined, max_leaves=6))
def test_a_filter_written_out_reads_back_as_the_same(wanted: Filter) -> None:
    assert parse_filter(str(wanted)) == wanted


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_with_a_column_inside_it(text: str) -> None:
    try:
        parse_filter(text)
        column = 1
    except FilterInvalid as error:
        column = error.column
    assert 1 <= column <= len(text) + 1
