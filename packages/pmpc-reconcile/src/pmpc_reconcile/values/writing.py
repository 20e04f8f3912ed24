"""Write canonical values in the form PVE accepts."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from pmpc_reconcile.kinds import Option, Shape
from pmpc_reconcile.values.fields import FieldValue, Secret
from pmpc_reconcile.values.sizes import gibibytes, parse_size
from proxmox_client.values.propstring import PropertyString


def write_value(value: FieldValue) -> str:
    """Write one value: booleans are 1 and 0."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, Secret):
        return value.text
    if isinstance(value, float):
        return format(value, ".12g")
    return str(value)


def write_option(option: Option, values: Mapping[str | None, FieldValue]) -> str:
    """Write an option from its fields by key; the key None is the whole value."""
    if None in values:
        text = write_value(values[None])
        return quote(text, safe="") if option.shape is Shape.ENCODED else text
    if option.shape is Shape.SET:
        return ";".join(sorted(key for key in values if key is not None))
    keys = {key: value for key, value in values.items() if key is not None}
    if option.shape is Shape.DISK:
        keys = write_volume(keys)
    return write_properties(option, keys)


def write_properties(option: Option, values: Mapping[str, FieldValue]) -> str:
    """Write a property string, the default key first and bare, as PVE itself writes it."""
    written = {key: write_value(value) for key, value in values.items()}
    ordered: dict[str, str] = {}
    for _, (model_key, value_key) in option.models.items():
        if model_key in written and value_key in written:
            ordered[written.pop(model_key)] = written.pop(value_key)
        break
    default = option.default_key
    if default is not None and default in written:
        ordered[default] = written.pop(default)
    return PropertyString({**ordered, **written}, default_key=default).format()


def write_volume(values: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    """Write a disk that is still to be made: `{storage, size}` becomes PVE's `storage:GiB`.

    A disk that has its volume keeps it; `storage` only explains it then.
    """
    keys = {key: value for key, value in values.items() if key not in ("storage", "cloudinit")}
    if "volume" in keys:
        return keys
    storage = values.get("storage")
    if values.get("cloudinit"):
        keys.pop("media", None)
        return {"volume": f"{storage}:cloudinit", **keys}
    size = keys.pop("size", None)
    amount = "0" if size is None or "import-from" in keys else gibibytes(parse_size(str(size)))
    return {"volume": f"{storage}:{amount}", **keys}
