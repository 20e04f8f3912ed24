"""From a recorded object to the manifest that would bring it back to how it was."""

from __future__ import annotations

from pmpc_reconcile.errors import InputInvalid
from pmpc_reconcile.kinds import Shape, kinds, options_of
from pmpc_reconcile.live import GuestObject
from pmpc_reconcile.plans.adoption import document_of, manifest_text
from pmpc_state import Resource, is_fingerprint


def manifest_of(recorded: Resource) -> tuple[str, tuple[str, ...]]:
    """Return the manifest of a guest as it was recorded, and what of it cannot come back.

    Secrets are not recorded, only their fingerprints: they are left out, and so are not changed.
    Volumes are named as they were; what was on them is a matter of backups.

    Raises:
        InputInvalid: There is no manifest of its kind, or its configuration was never readable.
    """
    kind = next((one for one in kinds() if one.guest == recorded.kind), None)
    if kind is None:
        raise InputInvalid(
            f"cannot write a manifest of {recorded.address}: only guests have their old "
            "configuration written as one; `get --at` shows it"
        )
    if recorded.valid_from is None:
        raise InputInvalid(
            f"cannot write a manifest of {recorded.address}: its configuration was never readable"
        )
    options = options_of(kind)
    secrets = tuple(
        name
        for name, value in recorded.config.items()
        if is_fingerprint(value)
        or ((option := options.find(name)) is not None and option.shape is Shape.SECRET)
    )
    config = {name: value for name, value in recorded.config.items() if name not in secrets}
    guest = GuestObject(
        vmid=int(recorded.key),
        guest=recorded.kind,
        node=recorded.node or "",
        config=config,
        running_config=config,
        digest="",
        running=recorded.status == "running",
        pool=None,
    )
    document = document_of(kind, recorded.name, guest)
    # A power state is of now, not of then: the record keeps no history of it.
    del document["spec"]["state"]
    return manifest_text([document]), secrets
