"""What an action is to bring about: manifests from files, folders or text, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.planning.request import DEFAULT
from pmpc_reconcile.plans.caps import MOST_DELETED

if TYPE_CHECKING:
    from pmpc_reconcile.engine import Reconciler
    from pmpc_reconcile.manifests import Manifest
    from pmpc_reconcile.plans.model import Plan


@attrs.frozen(kw_only=True)
class Wanted:
    """What is wanted, as `plan` and `apply` are told.

    Attributes:
        paths: Manifest files and folders.
        text: Manifests as text, instead of or besides paths.
        release: The release they belong to; `default` is the one a manifest of the kind
            `Release` names, where there is one.
        resolve: How to settle conflicts: `VirtualMachine/web-1:config.cores` or just
            `config.cores` to `ours`, `theirs` or `ignore`.
        prune: Delete objects of the release that the manifests no longer have.
        max_delete: Most objects that pruning deletes.
        restart: Restart guests of the policy `on-demand` that have options waiting for it.
    """

    paths: tuple[str, ...] = attrs.field(default=(), metadata={"help": "manifest files or folders"})
    text: str | None = attrs.field(default=None, metadata={"help": "manifests as text"})
    release: str = attrs.field(default=DEFAULT, metadata={"help": "name of the release"})
    resolve: Mapping[str, str] = attrs.field(
        factory=dict[str, str],
        metadata={"help": "settle conflicts: FIELD or ADDRESS:FIELD = ours, theirs or ignore"},
    )
    prune: bool = attrs.field(
        default=False, metadata={"help": "delete objects the manifests no longer have"}
    )
    max_delete: int = attrs.field(
        default=MOST_DELETED, metadata={"help": "most objects that pruning deletes"}
    )
    restart: bool = attrs.field(
        default=False, metadata={"help": "restart guests that wait for it, if on-demand"}
    )


async def planned(
    engine: Reconciler, wanted: Wanted, *, needs_approval: bool = False, save: bool = True
) -> Plan:
    """Return the plan for what is wanted.

    Raises:
        InputInvalid: There are no manifests.
        ManifestInvalid: They have mistakes.
    """
    return await engine.plan(
        read_manifests(wanted.paths, wanted.text),
        None if wanted.release == DEFAULT else wanted.release,
        resolve=wanted.resolve,
        prune=wanted.prune,
        most_deleted=wanted.max_delete,
        restart=("*",) if wanted.restart else (),
        needs_approval=needs_approval,
        save=save,
    )


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
