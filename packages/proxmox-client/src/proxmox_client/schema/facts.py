"""Values that describe operations, their parameters and the property strings among them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

_FAMILY = "[n]"
_INDEXED = re.compile(r"^(?P<stem>.*?[A-Za-z_-])(?P<index>\d+)$")


@attrs.frozen
class PropertyFormat:
    """The keys of a property string such as `virtio=BC:24:11:00:00:01,bridge=vmbr0`.

    Attributes:
        keys: What each key accepts; aliases are among them.
        default_key: The key whose name may be left out, if any.
        name: PVE's name of the format; None where the schema spells it out in place.
    """

    keys: Mapping[str, ParameterFacts]
    default_key: str | None
    name: str | None = None


@attrs.frozen
class ParameterFacts:
    """What one parameter accepts.

    Attributes:
        name: As it goes over the wire; an indexed family ends in `[n]` (`net[n]`: net0, net1, …).
        type: `string`, `integer`, `number`, `boolean`, `array`, or `any` where alternatives differ.
        optional: False where PVE refuses a request without it.
        format: Name of a format (`pve-vmid`, `pve-node-list`), or the keys of a property string.
        enum: Allowed values; empty where any value will do.
        default: What PVE assumes; None where it does not say.
        minimum: Lowest number allowed.
        maximum: Highest number allowed.
        min_length: Shortest text allowed.
        max_length: Longest text allowed.
        pattern: Perl regular expression that the whole text has to match.
        requires: Another parameter that has to be sent too.
        items: What an entry of an array accepts.
        one_of: Alternatives, each valid for its own `instance_types`.
        type_property: Parameter whose value decides which alternative or instance type counts.
        instance_types: Values of `type_property` for which this parameter exists; empty: all.
        in_path: The parameter is a placeholder of the path.
        alias: In a property string: this key is another name of that key.
        key_alias: In a property string: the key's own name becomes the value of that key.
        group: In a property string: keys that name the same thing.
        is_default_key: In a property string: the key whose name may be left out.
        since: First PVE version that accepts it.
        until: Last PVE version that accepts it; None while it lives.
    """

    name: str
    type: str
    optional: bool
    format: str | PropertyFormat | None = None
    enum: tuple[str, ...] = ()
    default: Any = None
    minimum: float | None = None
    maximum: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str | None = None
    requires: str | None = None
    items: ParameterFacts | None = None
    one_of: tuple[ParameterFacts, ...] = ()
    type_property: str | None = None
    instance_types: tuple[str, ...] = ()
    in_path: bool = False
    alias: str | None = None
    key_alias: str | None = None
    group: str | None = None
    is_default_key: bool = False
    since: str = "7.4"
    until: str | None = None

    @property
    def is_family(self) -> bool:
        """Whether the name stands for name0, name1, …"""
        return self.name.endswith(_FAMILY)

    @property
    def stem(self) -> str:
        """The name without the mark of an indexed family."""
        return self.name.removesuffix(_FAMILY)

    @property
    def is_text_list(self) -> bool:
        """Whether the value is one text with several entries."""
        return isinstance(self.format, str) and self.format.endswith("-list")


@attrs.frozen
class OperationFacts:
    """One method of one path.

    Attributes:
        id: Path segments without inner placeholders, then the method: `nodes.qemu.config.get`.
        method: `GET`, `POST`, `PUT` or `DELETE`.
        path: Template below `/api2/json`: `/nodes/{node}/qemu/{vmid}/config`.
        name: PVE's internal name of the method, if known.
        since: First PVE version that has it.
        until: Last PVE version that has it; None while it lives.
        parameters: Placeholders of the path and everything the request may carry, by wire name.
        additional_properties: Unknown parameters are accepted.
        permissions: PVE's own check: `{"check": ["perm", "/vms/{vmid}", ["VM.Audit"]]}`,
            `{"user": "all"}`; None where only root may call it.
        protected: The front server forwards it to the privileged daemon.
        allow_token: False where PVE wants a ticket.
        proxy_to: Parameter that names the node which has to serve the call.
        safety: `read`, `idempotent` or `unsafe`.
        starts_task: The answer is a UPID.
        returns: Shape of the answer in the schema's dialect, corrected.
        result: Type of what the typed client returns, as written in Python: `Task`, `None`,
            `Results[PoolsItem]`; classes are those of `proxmox_client.api.models`.
    """

    id: str
    method: str
    path: str
    name: str | None
    since: str
    until: str | None
    parameters: Mapping[str, ParameterFacts]
    additional_properties: bool
    permissions: Mapping[str, Any] | None
    protected: bool
    allow_token: bool
    proxy_to: str | None
    safety: str
    starts_task: bool
    returns: Mapping[str, Any]
    result: str = "Any"

    def parameter(self, name: str) -> ParameterFacts | None:
        """Find what a name sent over the wire means; `net3` finds the family `net[n]`."""
        if name in self.parameters:
            return self.parameters[name]
        indexed = _INDEXED.match(name)
        return self.parameters.get(indexed["stem"] + _FAMILY) if indexed else None
