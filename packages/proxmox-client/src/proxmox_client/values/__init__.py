"""PVE's own small values: parsed, compared, formatted, never fetched.

Belongs here: UPIDs, volume ids, API tokens, fingerprints, vmids, property strings, indexed
families, outcomes of tasks. Does not belong here: anything that knows a path of the API or a
connection.
"""

from __future__ import annotations

from proxmox_client.values.families import split_family
from proxmox_client.values.fingerprint import Fingerprint
from proxmox_client.values.propstring import PropertyString
from proxmox_client.values.taskresult import (
    TaskFailed,
    TaskLost,
    TaskOk,
    TaskResult,
    TaskRunning,
    TaskWarnings,
)
from proxmox_client.values.token import ApiToken
from proxmox_client.values.upid import Upid
from proxmox_client.values.vmid import check_vmid
from proxmox_client.values.volid import Volid

__all__ = [
    "ApiToken",
    "Fingerprint",
    "PropertyString",
    "TaskFailed",
    "TaskLost",
    "TaskOk",
    "TaskResult",
    "TaskRunning",
    "TaskWarnings",
    "Upid",
    "Volid",
    "check_vmid",
    "split_family",
]
