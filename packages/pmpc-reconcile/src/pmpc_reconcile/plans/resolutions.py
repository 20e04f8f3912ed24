"""Check the answers to conflicts that somebody gives: one that names nothing would do nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.manifests import check_answers, check_paths

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest, PathProblem


def check_resolutions(
    resolutions: Mapping[str, Mapping[str, str]], manifests: Sequence[Manifest]
) -> None:
    """Refuse answers about objects or fields that the manifests cannot have.

    Args:
        resolutions: By address, empty for every object: path to word.
        manifests: What is wanted.

    Raises:
        InputInvalid: An answer names no object or no field.
    """
    for address, answers in resolutions.items():
        meant = [item for item in manifests if address in ("", str(item.address))]
        if not meant:
            known = ", ".join(sorted(str(item.address) for item in manifests)[:5])
            raise InputInvalid(
                f"cannot resolve conflicts of {address or 'nothing'}: there is no such manifest"
                + (f"; there are {known}" if known else "")
            )
        for path, word in answers.items():
            wrong = _wrong_everywhere(meant, path, word)
            if wrong is not None:
                hint = f": {wrong.hint}" if wrong.hint else ""
                raise InputInvalid(f"cannot resolve {path}: {wrong.message}{hint}")


def _wrong_everywhere(meant: Sequence[Manifest], path: str, word: str) -> PathProblem | None:
    """Return what is wrong with an answer; None if one of the objects knows what it names."""
    wrong: PathProblem | None = None
    for item in meant:
        problem = _problem(item, path, word)
        if problem is None:
            return None
        wrong = wrong or problem
    return wrong


def _problem(manifest: Manifest, path: str, word: str) -> PathProblem | None:
    wrong = next(check_paths(manifest.kind_data, None, [path]), None)
    return wrong or next(check_answers(manifest, {path: word}), None)
