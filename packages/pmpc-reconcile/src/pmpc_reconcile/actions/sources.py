"""Where an action's manifests come from: files, folders, text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pmpc_reconcile.errors import InputInvalid

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest


def read_manifests(paths: Sequence[str], text: str | None) -> tuple[Manifest, ...]:
    """Return the manifests of files, folders and text together.

    Raises:
        InputInvalid: Neither paths nor text were given.
        ManifestInvalid: They have mistakes.
    """
    from pmpc_reconcile.manifests import load, load_text

    if not paths and text is None:
        raise InputInvalid("no manifests were given: name files or folders, or - for stdin")
    found = load(list(paths)) if paths else ()
    return found if text is None else (*found, *load_text(text))
