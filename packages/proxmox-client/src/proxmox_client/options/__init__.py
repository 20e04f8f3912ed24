"""PVE's structured options as typed values: `net0`, `scsi1`, `rootfs`, `boot`, `prune-backups`, …

One frozen class for each property-string format of the API, generated from its facts. Here belongs
what reads, checks and writes such values; what an option does to a guest does not. Where an
operation takes a property string it takes these values too, and results offer them as `typed`.

    >>> from proxmox_client.options import NetQemu
    >>> net = NetQemu("virtio", bridge="vmbr0", tag=20)
    >>> str(net)
    'virtio,bridge=vmbr0,tag=20'
    >>> NetQemu.parse("virtio=BC:24:11:00:00:01,bridge=vmbr0").macaddr
    'BC:24:11:00:00:01'
    >>> net.updated(tag=30)
    NetQemu(model='virtio', bridge='vmbr0', tag=30)
    >>> try:
    ...     NetQemu("virtio", tag=5000)
    ... except ValueError as error:
    ...     print(error)
    net[n]: tag cannot be 5000: a whole number from 1 to 4094

Classes are called after the option, with `Qemu` or `Lxc` where it belongs to a guest:
`ScsiQemu`, `MpLxc`, `Migration`, `Fleecing`. `find("qemu", "net0")` looks one up.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers take it for True
if TYPE_CHECKING:
    from proxmox_client.api.options import *  # noqa: F403  # pyright: ignore[reportWildcardImportFromLibrary]  # names listed there
    from proxmox_client.options.keys import Key as Key
    from proxmox_client.options.size import Size as Size
    from proxmox_client.options.value import OptionInvalid as OptionInvalid
    from proxmox_client.options.value import OptionValue as OptionValue

_HOME_OF = {
    "Key": "keys",
    "OptionInvalid": "value",
    "OptionValue": "value",
    "Size": "size",
}
_MEMBER_DIGITS = "0123456789"


def find(owner: str, name: str) -> type[OptionValue] | None:
    """Find the class of an option; None where its value is not structured.

    Args:
        owner: `qemu` or `lxc` for options of guests; an empty text for all others.
        name: As PVE spells it: `net0`, `boot`, `prune-backups`.
    """
    from proxmox_client.api import options

    known = options.OPTIONS.get(owner, {})
    found = known.get(name)
    if found is None:
        stem = name.rstrip(_MEMBER_DIGITS)
        found = known.get(f"{stem}[n]") if stem != name else None
    return None if found is None else getattr(options, found)


if not TYPE_CHECKING:  # the names are imported above, so a wrong one is an error

    def __getattr__(name: str) -> object:
        from importlib import import_module

        home = _HOME_OF.get(name)
        if home is not None:
            value: object = getattr(import_module(f"{__name__}.{home}"), name)
        elif name[:1].isupper():
            value = getattr(import_module("proxmox_client.api.options"), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    from proxmox_client.api import options

    return sorted({*globals(), *_HOME_OF, *options.__all__})
