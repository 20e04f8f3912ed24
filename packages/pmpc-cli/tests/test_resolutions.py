"""`--resolve FIELD=CHOICE` in all its forms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pmpc_cli.failures import CommandRefused
from pmpc_cli.resolutions import CHOICES, parse_resolutions


def test_fields_and_objects_may_be_named() -> None:
    given = ["config.cores=ours", "VirtualMachine/web-1:config.memory=theirs", "state=ignore"]
    assert parse_resolutions(given) == {
        "config.cores": "ours",
        "VirtualMachine/web-1:config.memory": "theirs",
        "state": "ignore",
    }


def test_nothing_given_is_no_choice() -> None:
    assert parse_resolutions(None) == {}


@given(st.text(min_size=1), st.sampled_from(CHOICES))
def test_whatever_the_field_the_last_equals_sign_parts_it_from_the_choice(
    field: str, choice: str
) -> None:
    assert parse_resolutions([f"{field}={choice}"]) == {field: choice}


@pytest.mark.parametrize("text", ["config.cores", "=ours", "config.cores=", "config.cores=mine"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(CommandRefused):
        parse_resolutions([text])
