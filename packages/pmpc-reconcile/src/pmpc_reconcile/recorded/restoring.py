"""Write the manifest that would bring an object back, with what has to be known of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import attrs

from pmpc_reconcile.documents.guests import new_volumes
from pmpc_reconcile.documents.written import Written, manifest_text, written
from pmpc_reconcile.errors import InputInvalid, ObjectNotFound
from pmpc_reconcile.manifests import manifest_from_document
from pmpc_reconcile.moments import tell_moment
from pmpc_reconcile.observed import resource_ever
from pmpc_reconcile.recorded.guides import Guide, guide_of, image_named
from pmpc_reconcile.recorded.reading import AsRecorded, Past
from pmpc_reconcile.recorded.whole import Whole, more_said, not_there, whole_named, whole_of

if TYPE_CHECKING:
    from pmpc_state import Resource, StateReader

_GUESTS: Final = ("VirtualMachine", "Container")
_MOST_NAMED: Final = 12
_MICROSECOND: Final = timedelta(microseconds=1)


@attrs.frozen
class Restored:
    """The manifest of an object as it was.

    Attributes:
        address: What it was written from: `qemu/100`, `storage/tank`, `Firewall/cluster`.
        manifest: The address it declares: `VirtualMachine/web-1`.
        since: Since when it was so.
        text: The manifest as YAML, what has to be known of it as comments.
        left: What is left out because it is secret or cannot come back.
        notes: What has to be known of it.
        release: The release that manages it; None if none does.
        is_gone: Whether it is not there any more.
    """

    address: str
    manifest: str
    since: datetime | None
    text: str
    left: tuple[str, ...]
    notes: tuple[str, ...]
    release: str | None
    is_gone: bool


def restored(
    reader: StateReader, cluster: str, name: str, of_kind: str | None, moment: datetime | None
) -> Restored:
    """Return the manifest of an object as of a moment.

    Args:
        reader: The record.
        cluster: The cluster.
        name: What people call it: a name, a key, an address of the record or of a manifest.
        of_kind: Its kind, if the name alone is not unique.
        moment: The moment; None for now, and for the last moment of what is gone.

    Raises:
        InputInvalid: There is no manifest of such an object, or it was never readable.
        ObjectNotFound: Nothing, or more than one object, matches.
    """
    whole, resource = _meant(reader, cluster, name, of_kind, moment)
    if moment is None and resource is not None and resource.valid_to is not None:
        moment = resource.valid_to - _MICROSECOND  # it is gone: as it last was
    past, present = Past(reader, cluster, moment), Past(reader, cluster, None)
    named = resource.name if resource and whole.kind in _GUESTS else None
    usual = f"{whole.kind}/{named}" if named else whole.address
    guide = guide_of(reader, cluster, whole, moment, usual)
    if whole.kind == "Image":
        return _image(past, whole, guide, resource)
    is_gone = whole.kind in _GUESTS and not _same_now(present, resource)
    found = past.read(whole, guide.name, is_gone=is_gone)
    if found is None or (not found.parts and past.unread(whole)):
        raise not_there(cluster, whole.address)
    now = present.read(whole, guide.name)
    is_gone = is_gone or now is None or (not now.parts and bool(found.parts))
    manifest = found.manifest.with_spec(guide.guiding())
    found = attrs.evolve(found, manifest=manifest)
    notes = tuple(_notes(past, whole, guide, found, resource, now, is_gone=is_gone))
    return Restored(
        address=whole.address if resource is None or len(found.parts) > 1 else resource.address,
        manifest=manifest.address,
        since=found.since,
        text=manifest_text([manifest], notes),
        left=found.left,
        notes=notes,
        release=guide.release,
        is_gone=is_gone,
    )


def _meant(
    reader: StateReader, cluster: str, name: str, of_kind: str | None, moment: datetime | None
) -> tuple[Whole, Resource | None]:
    address = name if of_kind is None else f"{of_kind}/{name}"
    if address.lower().startswith("image/"):
        whole = image_named(reader, cluster, address[len("image/") :], moment)
    else:
        whole = whole_named(reader, cluster, address)
    if whole is not None and whole.kind not in _GUESTS:
        return whole, None
    if whole is not None:
        name, of_kind = whole.key, whole.recorded_kind
    elif of_kind in (None, "content") and ":" in name:
        volumes = [one.config.get("volid") for one in Past(reader, cluster, moment).all("content")]
        if volumes.count(name) > 1:  # a file on each of several nodes is one image
            return Whole("Image", name), None
    try:
        found = resource_ever(reader, cluster, name, of_kind, moment)
    except ObjectNotFound as error:
        raise more_said(error, name) from error
    return whole_of(found), found


def _same_now(present: Past, resource: Resource | None) -> bool:
    """Return whether a guest is still there, and not another one under its vmid."""
    if resource is None:
        return True
    now = present.one(resource.kind, resource.key)
    return any(one.uid == resource.uid for one in now)


def _image(past: Past, whole: Whole, guide: Guide, resource: Resource | None) -> Restored:
    """Return the manifest of an image, which only a release can know the origin of."""
    if resource is not None and resource.config.get("content") not in ("iso", "vztmpl", "import"):
        raise InputInvalid(
            f"cannot write a manifest of {resource.address}: a guest's volumes belong to its "
            "manifest, and what is on them is a matter of backups"
        )
    if not guide.spec or guide.name is None:
        raise InputInvalid(
            f"cannot write a manifest of {whole.key}: PVE does not keep where an image came from, "
            "and no release ever declared it; write one of kind Image with its url"
        )
    parts = tuple(one for one in past.all("content") if one.config.get("volid") == whole.key)
    spec = {name: value for name, value in guide.spec.items() if name != "nodes"}
    nodes = sorted(one.key.partition("/")[0] for one in parts if one.key != whole.key)
    manifest = written(
        "Image", guide.name, whole.key, {**spec, **({"nodes": nodes} if nodes else {})}
    )
    notes = [f"{manifest.address} as release {guide.release} declared it"] if guide.release else []
    if not parts:
        notes.append("it was on no node then: this fetches it")
    return Restored(
        address=whole.address if resource is None else resource.address,
        manifest=manifest.address,
        since=AsRecorded(manifest, parts, ()).since,
        text=manifest_text([manifest], notes),
        left=(),
        notes=tuple(notes),
        release=guide.release,
        is_gone=False,
    )


def _notes(
    past: Past,
    whole: Whole,
    guide: Guide,
    found: AsRecorded,
    resource: Resource | None,
    now: AsRecorded | None,
    *,
    is_gone: bool,
) -> Iterator[str]:
    """Return what has to be known before the manifest is planned."""
    address = found.manifest.address
    since = "" if found.since is None else f" since {tell_moment(found.since)}"
    yield f"{address} of cluster {past.cluster} as it was configured{since}"
    if resource is not None and len(found.parts) > 1:
        yield f"{resource.address} is a part of it, and it is written as a whole"
    if found.left:
        yield f"left out, because it is secret or cannot come back: {', '.join(found.left)}"
        if is_gone:
            yield "give what is secret by hand before it is made again"
    unread = past.unread(whole)
    if unread:
        yield f"no sync had read {', '.join(unread)} by then: declare what is missing by hand"
    yield from _way(whole, guide, found.manifest, is_gone=is_gone)
    if is_gone or now is None:
        return
    later = _came_later(guide, found.manifest, now.manifest)
    if later:
        named = ", ".join(later[:_MOST_NAMED]) + (" and more" if len(later) > _MOST_NAMED else "")
        yield f"came since, and stays unless the release owns it: {named}"


def _way(whole: Whole, guide: Guide, manifest: Written, *, is_gone: bool) -> Iterator[str]:
    """Return how to plan it."""
    if is_gone:
        yield "it is gone: planning this makes it again"
        disks = new_volumes(manifest) if whole.kind in _GUESTS else ()
        if disks:
            yield f"new and empty, the rest is a matter of backups: {', '.join(disks)}"
        if whole.kind == "Container" and "source" not in manifest.document["spec"]:
            yield "a container is made from a template: write spec.source.template"
        return
    kind = "" if whole.kind in _GUESTS else f" --kind {whole.kind}"
    if guide.release is not None:
        adopt = f"pmpc adopt {manifest.name}{kind} --release {guide.release}"
        yield f"release {guide.release} manages it: this stands in for its manifest there"
        yield f"what others changed since is a conflict, until `{adopt}` takes it over as it is now"
    else:
        adopt = f"pmpc adopt {manifest.name}{kind} --release NAME"
        yield f"no release manages it: first `{adopt}`, applied, which changes nothing"


def _came_later(guide: Guide, then: Written, now: Written) -> list[str]:
    """Return the fields that are there now, were not then, and are not the release's own."""
    before, after = _fields(then), _fields(now)
    return sorted(path for path in after.keys() - before.keys() if path not in guide.owned)


def _fields(manifest: Written) -> dict[str, Any]:
    return dict(manifest_from_document(dict(manifest.document)).fields)
