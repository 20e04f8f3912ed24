"""Check the answers to conflicts that somebody gives: one that names nothing would do nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.manifests import check_paths

if TYPE_CHECKING:
    from pmpc_reconcile.manifests import Manifest


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
        kinds = {item.kind: item.kind_data for item in meant}
        for path in answers:
            found = [next(check_paths(kind, None, [path]), None) for kind in kinds.values()]
            wrong = [problem for problem in found if problem is not None]
            if len(wrong) == len(found):
                hint = f": {wrong[0].hint}" if wrong[0].hint else ""
                raise InputInvalid(f"cannot resolve {path}: {wrong[0].message}{hint}")
