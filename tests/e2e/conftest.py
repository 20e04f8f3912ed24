"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Site, serving


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Serve a seeded cluster; its context `lab` is current."""
    home = tmp_path / "home"
    home.mkdir()
    with serving(home) as served:
        served.enter()
        yield served
