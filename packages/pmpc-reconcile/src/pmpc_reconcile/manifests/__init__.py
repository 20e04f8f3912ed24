"""Manifests: what users write, read with the place of every word, checked, and made into values.

Here belong reading YAML and JSON, finding mistakes, and the frozen `Manifest`. What its fields mean
on a server belongs to `values`; what a kind is belongs to `kinds`.
"""

from __future__ import annotations

from pmpc_reconcile.manifests.address import Address
from pmpc_reconcile.manifests.document import API_VERSION
from pmpc_reconcile.manifests.export import json_schema
from pmpc_reconcile.manifests.invalid import ManifestInvalid
from pmpc_reconcile.manifests.load import load, load_text, manifest_from_document
from pmpc_reconcile.manifests.manifest import (
    CloneSource,
    Manifest,
    RestartPolicy,
    Source,
    TemplateSource,
)
from pmpc_reconcile.manifests.resolutions import PathProblem, check_answers, check_paths
from pmpc_reconcile.manifests.tree import Position

__all__ = [
    "API_VERSION",
    "Address",
    "CloneSource",
    "Manifest",
    "ManifestInvalid",
    "PathProblem",
    "Position",
    "RestartPolicy",
    "Source",
    "TemplateSource",
    "check_answers",
    "check_paths",
    "json_schema",
    "load",
    "load_text",
    "manifest_from_document",
]
