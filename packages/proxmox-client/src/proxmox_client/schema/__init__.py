"""The PVE API as facts at run time: which operations there are and what they accept.

Here belong values that say what the API of PVE 7.4 to 9.2 looks like, read from one generated data
file on first use. Here does not belong anything that calls the API or judges a value.

    >>> from proxmox_client import schema
    >>> schema.operation("PUT", "/nodes/{node}/qemu/{vmid}/config").parameter("net3").is_family
    True
"""

from __future__ import annotations

from proxmox_client.schema.facts import OperationFacts, ParameterFacts, PropertyFormat
from proxmox_client.schema.load import find, operation, operations, versions

__all__ = [
    "OperationFacts",
    "ParameterFacts",
    "PropertyFormat",
    "find",
    "operation",
    "operations",
    "versions",
]
