"""What a plan is asked to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from pmpc_reconcile.diagnostics import Diagnostic, error
from pmpc_reconcile.manifests import Manifest, ManifestInvalid
from pmpc_reconcile.plans.group_hooks import RELEASE
from pmpc_reconcile.plans.model import Purpose

DEFAULT: Final = "default"
"""The release of manifests that belong to none in particular."""
Resolutions = Mapping[str, Mapping[str, str]]


@attrs.frozen
class Request:
    """What a plan is asked to be.

    Attributes:
        release: The release.
        manifests: What is wanted.
        purpose: Which verb it is for.
        note: What made it, for the history.
        resolutions: How to settle conflicts: by address (or empty), path to word.
        prune: Delete objects of the release that the manifests do not have.
        keep: Addresses of objects that stay and are nobody's afterwards; `*` for all of them.
        most_deleted: Most objects the plan may delete; None for any number.
        restart: Addresses of guests somebody asks to be restarted if options wait for it; `*` is
            every one whose policy allows it.
        warnings: Diagnostics found before planning.
        adopted: Guests that are ours from now on although nothing proves it yet: their vmids.
        taken: Objects of other kinds that are ours from now on, as they are.
    """

    release: str
    manifests: tuple[Manifest, ...]
    purpose: Purpose = Purpose.APPLY
    note: str = "apply"
    resolutions: Resolutions = attrs.field(factory=dict[str, Mapping[str, str]])
    prune: bool = False
    keep: frozenset[str] = frozenset()
    most_deleted: int | None = None
    restart: frozenset[str] = frozenset()
    warnings: tuple[Diagnostic, ...] = ()
    adopted: Mapping[str, int] = attrs.field(factory=dict[str, int])
    taken: frozenset[str] = frozenset()

    @property
    def objects(self) -> tuple[Manifest, ...]:
        """Return the manifests of what is on the cluster: without that of the release itself."""
        return tuple(manifest for manifest in self.manifests if manifest.kind != RELEASE)

    def problems(self) -> tuple[Diagnostic, ...]:
        """Return what is wrong with the manifest of the release, if there is one."""
        return tuple(
            manifest.diagnose(
                f"this manifest is of release {manifest.name}, and the plan is for {self.release}",
                hint=f"give the name: --release {manifest.name}",
            )
            for manifest in self.manifests
            if manifest.kind == RELEASE and manifest.name != self.release
        )

    def refuse_doubles(self) -> None:
        """Refuse manifests of which two are about one object.

        Raises:
            ManifestInvalid: They are.
        """
        seen: set[str] = set()
        doubles: list[Diagnostic] = []
        for manifest in self.manifests:
            address = str(manifest.address)
            if address in seen:
                doubles.append(error(f"{address} is declared twice", address=address))
            seen.add(address)
        if doubles:
            raise ManifestInvalid(tuple(doubles))


def release_of(manifests: Sequence[Manifest], given: str | None) -> str:
    """Return the name of the release that manifests are planned for.

    Args:
        manifests: One of them may name it.
        given: The name somebody gave.
    """
    if given is not None:  # an empty name, as of a variable that is not set, is a mistake
        return given
    named = [manifest.name for manifest in manifests if manifest.kind == RELEASE]
    return named[0] if named else DEFAULT
