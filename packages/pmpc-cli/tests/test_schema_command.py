"""`pmpc schema` prints what an editor checks manifests with, and needs no cluster for it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from pmpc_cli.__main__ import main
from pmpc_cli.exit_codes import ExitCode
from pmpc_reconcile.manifests import json_schema


@pytest.fixture(autouse=True)
def _no_clusters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PMPC_CONFIG", str(tmp_path / "none.yaml"))


def test_it_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == json_schema()


def test_it_follows_a_version_and_prints_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--for", "8.4", "-o", "yaml"]) == ExitCode.OK
    assert yaml.safe_load(capsys.readouterr().out) == json_schema("8.4")


def test_an_unknown_version_names_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--for", "6.4"]) != ExitCode.OK
    assert "known are" in capsys.readouterr().err
