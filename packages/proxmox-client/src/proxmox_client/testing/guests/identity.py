"""What PVE makes up for a new machine: uuids, generation id, creation note, hashed password."""

from __future__ import annotations

import hashlib
import random
import string
import uuid

from proxmox_client.testing.guests import keyed

QEMU_VERSION = "10.1.2"
_SALT = string.ascii_letters + string.digits + "./"


def random_uuid(rng: random.Random) -> str:
    """Return a random uuid (version 4) from the simulation's own randomness."""
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def meta(now: float) -> str:
    """Return the ``meta`` option of a machine created now."""
    return f"creation-qemu={QEMU_VERSION},ctime={int(now)}"


def with_new_uuid(smbios1: str | None, rng: random.Random) -> str:
    """Return the ``smbios1`` option with another uuid."""
    return keyed.write({**keyed.parse(smbios1 or ""), "uuid": random_uuid(rng)})


def hash_password(password: str, rng: random.Random) -> str:
    """Return something that looks like PVE's stored hash; an already hashed text stays.

    The hash is not crypt's own: nobody can log in to a simulated guest.
    """
    if password.startswith("$") and password.count("$") >= 3:
        return password
    salt = "".join(rng.choice(_SALT) for _ in range(8))
    digest = hashlib.sha256(f"{salt}{password}".encode()).digest()
    body = "".join(_SALT[(byte + 7 * place) % len(_SALT)] for place, byte in enumerate(digest * 2))
    return f"$5${salt}${body[:43]}"
