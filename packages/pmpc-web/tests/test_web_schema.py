"""The committed SDL is what the code serves, and whoever does not hold the token stays out."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmpc_web.access import AccessToken
from pmpc_web.graphql import build_schema

SDL = Path(__file__).parents[1] / "schema.graphql"


def test_the_committed_schema_is_the_one_served() -> None:
    """Refresh with: python -m pmpc_web.graphql > packages/pmpc-web/schema.graphql"""
    assert SDL.read_text(encoding="utf-8") == build_schema().as_str() + "\n"


@pytest.mark.parametrize(
    ("header", "admitted"),
    [
        ("Bearer s3cret-s3cret-s3cret", True),
        ("bearer s3cret-s3cret-s3cret", True),
        ("Bearer other", False),
        ("s3cret-s3cret-s3cret", False),
        ("", False),
        (None, False),
        ("Bearer ü", False),
    ],
)
def test_only_the_token_admits(header: str | None, admitted: bool) -> None:
    assert AccessToken("s3cret-s3cret-s3cret").admits(header) is admitted


def test_the_token_never_shows() -> None:
    assert "s3cret" not in repr(AccessToken("s3cret-s3cret-s3cret"))


def test_generated_tokens_differ_and_are_long() -> None:
    one, other = AccessToken.generate(), AccessToken.generate()
    assert one != other
    assert len(one.value) >= 32
