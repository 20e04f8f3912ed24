"""Find the word the user probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate closest to `word`, or None when nothing is near.

    Letter case, `-` and `_` do not count, so `virtualmachine` finds `VirtualMachine`.
    """
    folded: dict[str, str] = {}
    for candidate in sorted(candidates):
        folded.setdefault(_fold(candidate), candidate)
    wanted = _fold(word)
    if not wanted:
        return None
    near = difflib.get_close_matches(wanted, folded, n=1, cutoff=0.65)
    return folded[near[0]] if near else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """Return `did you mean 'x'?` for the nearest candidate, or None."""
    found = suggest(word, candidates)
    return None if found is None else f"did you mean {found!r}?"


def _fold(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")
