"""Fixtures of the client's tests: the watched server, its certificates and its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.lab.watched_server import Certificate, WatchedServer, answer, make_certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def other_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return make_certificate(tmp_path_factory.mktemp("other"))


@pytest.fixture
def server(certificate: Certificate) -> Iterator[WatchedServer]:
    made = WatchedServer(certificate)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def plain_server(certificate: Certificate) -> Iterator[WatchedServer]:
    made = WatchedServer(certificate, tls=False)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def reply() -> Callable[..., bytes]:
    return answer
