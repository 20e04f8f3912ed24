"""How a client comes to know its server and who asks: arguments, environment, file, keyring.

Belongs here: reading these places and deciding between them. Does not belong here: what a token or
a ticket is (`values`), how a session uses it (`flows`), and writing: the file is written by people
and by `pmpc context`, the keyring by its own tool.

In this order, the first that says something counts:

1. arguments,
2. the environment: `PMPC_URL`, `PMPC_TOKEN`, …,
3. the file of named clusters, which only its owner may read,
4. the keyring of the system.

What the file and the keyring hold is meant for one server. So it is used for that server only: a
token from the file never goes to an address from elsewhere.
"""

from __future__ import annotations

from proxmox_client.credentials.configfile import (
    ConfigFile,
    ConfigInvalid,
    Entry,
    config_path,
    load_config,
)
from proxmox_client.credentials.finding import find_options, options_of
from proxmox_client.credentials.privatefile import read_private

__all__ = [
    "ConfigFile",
    "ConfigInvalid",
    "Entry",
    "config_path",
    "find_options",
    "load_config",
    "options_of",
    "read_private",
]
