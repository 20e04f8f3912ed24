"""Fixtures of the command's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pmpc_cli.present import terminal


@pytest.fixture(autouse=True)
def _fresh_consoles() -> Iterator[None]:
    terminal.out.cache_clear()
    terminal.err.cache_clear()
    yield
    terminal.out.cache_clear()
    terminal.err.cache_clear()
