"""Manifests in the documentation and the examples are valid."""

from __future__ import annotations

import importlib
import textwrap
from pathlib import Path

import pytest
import yaml

from pmpc_reconcile.manifests import json_schema, load, load_text
from tests.docs.markdown import ROOT, Block, blocks, documents

WRAPPED = "apiVersion: pmpc/v1\nkind: VirtualMachine\nmetadata: {name: example}\nspec:\n"


def shown(text: str) -> list[Block]:
    """Return the YAML blocks that hold a text."""
    return [
        block
        for path in documents()
        for block in blocks(path)
        if block.language == "yaml" and text in block.text
    ]


WHOLE = shown("apiVersion: pmpc/v1")
PARTS = [block for block in shown("config:") if block.text.startswith("config:")]


@pytest.mark.parametrize("block", WHOLE, ids=lambda block: block.where)
def test_a_manifest_in_a_document_is_valid(block: Block) -> None:
    assert load_text(block.text, name=block.where, version="9.2")
    check = importlib.import_module("jsonschema").Draft202012Validator(json_schema("9.2"))
    for document in yaml.safe_load_all(block.text):
        assert [each.message for each in check.iter_errors(document)] == []


@pytest.mark.parametrize("block", PARTS, ids=lambda block: block.where)
def test_options_in_a_document_are_valid(block: Block) -> None:
    text = WRAPPED + textwrap.indent(block.text, "  ") + "\n"
    assert load_text(text, name=block.where, version="9.2")


def examples() -> list[Path]:
    return sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())


@pytest.mark.parametrize("folder", examples(), ids=lambda folder: folder.name)
@pytest.mark.parametrize("version", ["8.4", "9.2"])
def test_an_example_is_valid_for_old_and_new_servers(folder: Path, version: str) -> None:
    assert load(folder, version=version)


def test_there_is_something_to_check() -> None:
    assert len(WHOLE) >= 6
    assert PARTS
