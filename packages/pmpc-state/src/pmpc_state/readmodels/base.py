"""What every read model has, and how a field says where its value is kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar

import attrs

from pmpc_state.filters.fields import Place
from pmpc_state.filters.tables import Kept, column


@attrs.frozen
class Slots(Kept):
    """Keep a field in all options of some families: `scsi0`, `scsi1`, `virtio0` ….

    Attributes:
        families: Names without their number.
    """

    families: tuple[str, ...] = ()

    def holds(self, option: str) -> bool:
        """Say whether an option is one of them."""
        stem = option.rstrip("0123456789")
        return stem != option and stem in self.families


def slots(*families: str) -> Slots:
    """Keep a field in families of options, by slot: `slots("scsi", "virtio")`."""
    return Slots(Place.DOCUMENT, (), families)


@attrs.frozen(kw_only=True)
class ReadModel:
    """One object of a cluster, with fields of the types PVE means.

    A field is the option of its name unless its annotation says where it is kept. What is missing,
    or is not what the field says, is None (a list is empty).

    Attributes:
        cluster: The name the cluster is recorded under.
        key: What PVE calls it.
        uid: Stays with it through renames, moves and restores.
        known: False when the last sync could not see it.
        unknown_because: Why not.
        seen_at: When status and usage were seen.
        proven_at: When its configuration was last read.
        configured_since: Since when it is configured so; None if that was never readable.
        configured_until: Until when it was so, None while it is.
        config: Its whole configuration in PVE's option names, secrets as fingerprints.
        rest: The options no field shows, such as those only a newer PVE knows.
    """

    KINDS: ClassVar[tuple[str, ...]] = ()

    cluster: Annotated[str, column(Place.CLUSTER)]
    kind: Annotated[str, column(Place.KIND)]
    key: Annotated[str, column(Place.KEY)]
    uid: Annotated[str, column(Place.UID)]
    known: Annotated[bool, column(Place.KNOWN)]
    unknown_because: Annotated[str | None, column(Place.REASON)]
    seen_at: Annotated[datetime | None, column(Place.SEEN_AT)]
    proven_at: Annotated[datetime | None, column(Place.PROVEN_AT)]
    configured_since: Annotated[datetime | None, column(Place.VALID_FROM)]
    configured_until: Annotated[datetime | None, column(Place.VALID_TO)]
    config: Annotated[Mapping[str, Any], Kept(Place.DOCUMENT, (("config",),))]
    rest: Annotated[Mapping[str, Any], Kept(Place.DOCUMENT)]

    @property
    def resource_address(self) -> str:
        """Kind and key, as people write it: `qemu/100`."""
        return f"{self.kind}/{self.key}"
