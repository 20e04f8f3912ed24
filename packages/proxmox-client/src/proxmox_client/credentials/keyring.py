"""The system's keyring, through the `keyring` library: an extra, loaded when it is asked.

One entry for each server and account: the service is `pmpc https://pve1:8006`, the account a
token's name (`root@pam!automation`, with the token's secret) or a user (`root@pam`, with the
password). `keyring set 'pmpc https://pve1:8006' 'root@pam!automation'` writes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

SERVICE: Final = "pmpc {}"
MISSING: Final = (
    "the keyring cannot be asked: the library is missing; "
    "`pip install 'pmpc-proxmox-client[keyring]'`"
)


@attrs.frozen
class Found:
    """What the keyring has for a server.

    Attributes:
        account: User or token's name.
        secret: Password or the token's secret.
        why_not: Where nothing was found: why the keyring could not be asked; empty where it could.
    """

    account: str = ""
    secret: str = attrs.field(default="", repr=False)
    why_not: str = ""


def look_up(servers: Sequence[str], account: str | None) -> Found:
    """Look for the credentials of a server; the first server that has some counts.

    Args:
        servers: Addresses with scheme and port.
        account: User or token's name; None takes the one account there is, where the keyring of
            this system can tell.
    """
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return Found(why_not=MISSING)
    try:
        for server in servers:
            found = keyring.get_credential(SERVICE.format(server), account)
            if found is not None and found.password:
                return Found(account or found.username or "", found.password)
    except (KeyringError, OSError, RuntimeError, ValueError) as error:
        # the words of a back-end are not ours to trust with secrets
        return Found(why_not=f"the keyring cannot be asked: {type(error).__name__}")
    return Found()
