"""Words and keys that only some versions know."""

from __future__ import annotations

from tools.apigen.merge import Facts, Merged, Span
from tools.apigen.words import Limit, limits

VERSIONS = ["8.3", "8.4", "9.0"]


def changing(*facts: Facts, **formats: Facts) -> list[Limit]:
    """Return the limits of one parameter that is something else in each version."""
    spans = [Span(number, number, given) for number, given in enumerate(facts)]
    operation = Merged("PUT", "/x", 0, 2, {}, {"p": spans}, {})
    return limits(operation, VERSIONS, formats)


def test_words_come_and_go() -> None:
    found = changing({"enum": ["a", "b"]}, {"enum": ["a", "b", "c"]}, {"enum": ["a", "c"]})
    assert found == [Limit("p", "=b", None, "8.4"), Limit("p", "=c", "8.4", None)]


def test_a_version_without_limits_takes_any_word() -> None:
    assert changing({"type": "string"}, {"enum": ["a"]}, {"enum": ["a", "b"]}) == []


def test_keys_of_property_strings_and_their_words() -> None:
    old: Facts = {"format": {"file": {"default_key": 1}, "cache": {"enum": ["none"]}}}
    new: Facts = {"format": {**old["format"], "cache": {"enum": ["none", "unsafe"]}, "ro": {}}}
    assert changing(old, old, new) == [
        Limit("p", "cache=unsafe", "9.0", None),
        Limit("p", "ro", "9.0", None),
    ]


def test_a_plain_text_that_became_a_property_string_keeps_its_default_key() -> None:
    new: Facts = {"format": {"type": {"default_key": 1, "enum": ["q35"]}, "viommu": {}}}
    assert changing({"type": "string"}, new, new) == [Limit("p", "viommu", "8.4", None)]


def test_a_format_the_schema_only_names_is_spelt_out() -> None:
    keys: Facts = {"a": {}, "b": {}}
    assert changing({"format": keys}, {"format": "named"}, {"format": "named"}, named=keys) == []


def test_families_are_called_as_they_are_handed_on() -> None:
    spans = [Span(0, 0, {"enum": ["a"]}), Span(1, 2, {"enum": ["a", "b"]})]
    operation = Merged("PUT", "/x", 0, 2, {}, {"net[n]": spans}, {})
    assert limits(operation, VERSIONS, {}) == [Limit("net", "=b", "8.4", None)]
