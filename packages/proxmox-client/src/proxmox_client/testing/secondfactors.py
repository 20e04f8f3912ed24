"""Second factors of users: one-time passwords, recovery codes and what wrong ones lead to.

Here belong the factors as they are kept and checked. Logging in belongs to `handlers.tickets`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import random
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from proxmox_client.testing.cluster import SimulatedCluster

Factors = dict[str, Any]
"""A user's: ``entries`` (list of rows with ``type``, ``id``, …), counters and locks."""

MAX_TOTP_FAILURES = 8
MAX_FAILURES = 100
LOCK_SECONDS = 3600
_ALGORITHMS = {"SHA1": hashlib.sha1, "SHA256": hashlib.sha256, "SHA512": hashlib.sha512}
_SHOWN = ("id", "type", "description", "created", "enable")
_CHALLENGED = ("totp", "yubico", "u2f", "webauthn")


class BadFactor(Exception):
    """A factor cannot be added or does not fit; the message is PVE's."""


def factors(cluster: SimulatedCluster, userid: str) -> Factors:
    """Return a user's factors, an empty set if there are none."""
    stored: dict[str, Factors] = cluster.files.setdefault("tfa", {})
    return stored.setdefault(userid, {"entries": [], "totp-failures": 0, "failures": 0})


def shown(entry: dict[str, Any]) -> dict[str, Any]:
    """Return what may be told about a factor."""
    row = {name: entry[name] for name in _SHOWN if name in entry}
    row["enable"] = int(entry["enable"])
    return row


def one_time_password(uri: str, now: float) -> str:
    """Return what an ``otpauth`` address gives at a moment.

    Raises:
        BadFactor: The address is none.
    """
    return _code(*_parse(uri), now=now)


def _parse(uri: str) -> tuple[bytes, int, int, str]:
    parts = urlsplit(uri)
    if parts.scheme != "otpauth" or parts.netloc != "totp":
        raise BadFactor("not an otpauth uri")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    secret = query.get("secret", "").upper()
    try:
        key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    except binascii.Error:
        raise BadFactor("failed to decode otp secret") from None
    if not key:
        raise BadFactor("missing secret in otpauth url")
    algorithm = query.get("algorithm", "SHA1").upper()
    if algorithm not in _ALGORITHMS:
        raise BadFactor(f"unsupported algorithm: {algorithm}")
    return key, int(query.get("period", "30")), int(query.get("digits", "6")), algorithm


def _code(key: bytes, period: int, digits: int, algorithm: str, *, now: float) -> str:
    counter = int(now) // period
    mac = hmac.digest(key, counter.to_bytes(8, "big"), algorithm.lower())
    offset = mac[-1] & 15
    number = int.from_bytes(mac[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def _matching_step(uri: str, value: str, now: float) -> int | None:
    """Return the number of the interval a value belongs to: this one or a neighbour."""
    key, period, digits, algorithm = _parse(uri)
    for shift in (-1, 0, 1):
        moment = now + shift * period
        if hmac.compare_digest(_code(key, period, digits, algorithm, now=moment), value):
            return int(moment) // period
    return None


def add_totp(found: Factors, ident: str, description: str, uri: str, value: str, now: float) -> str:
    """Add a one-time password after a proof that the user has it.

    Raises:
        BadFactor: Address or proof are wrong.
    """
    if _matching_step(uri, value, now) is None:
        raise BadFactor("failed to verify TOTP challenge")
    return add_plain(found, "totp", ident, description, uri, now)


def add_plain(
    found: Factors, kind: str, ident: str, description: str, secret: str, now: float
) -> str:
    """Add a factor without checking it and return its id."""
    found["entries"].append(
        {
            "type": kind,
            "id": ident,
            "description": description,
            "created": int(now),
            "enable": True,
            "secret": secret,
            "last": -1,
        }
    )
    return ident


def add_recovery(found: Factors, chance: random.Random, now: float) -> list[str]:
    """Make recovery codes and return them; this is the only time they are told.

    Raises:
        BadFactor: There are some already.
    """
    if any(entry["type"] == "recovery" for entry in found["entries"]):
        raise BadFactor("user already has recovery keys")
    codes = [
        "-".join(chance.randbytes(2).hex() for _ in range(4))
        for _ in range(10)
    ]  # fmt: skip
    add_plain(found, "recovery", "recovery", "", "", now)
    found["entries"][-1]["codes"] = list(codes)
    return codes


def challenge(found: Factors) -> dict[str, Any] | None:
    """Say what a user may answer with; None if a password is enough."""
    enabled = [entry for entry in found["entries"] if entry["enable"]]
    if not enabled:
        return None
    wanted: dict[str, Any] = {
        kind: True for kind in _CHALLENGED if any(entry["type"] == kind for entry in enabled)
    }
    for entry in enabled:
        if entry["type"] == "recovery":
            wanted["recovery"] = [
                number for number, code in enumerate(entry["codes"]) if code is not None
            ]
    return wanted


def verify(found: Factors, response: str, now: float) -> bool:
    """Check an answer (``totp:123456``, ``recovery:…``), use it up, and count failures."""
    if found.get("locked-until", 0) > now:
        return False
    kind, _, value = response.partition(":")
    enabled = [entry for entry in found["entries"] if entry["enable"] and entry["type"] == kind]
    if kind == "totp" and not found.get("totp-locked"):
        good = _use_totp(enabled, value, now)
    elif kind == "recovery":
        good = _use_recovery(enabled, value)
    else:
        good = kind == "yubico" and any(value.startswith(entry["secret"]) for entry in enabled)
    if good:
        found["failures"] = 0
        if kind in ("totp", "recovery"):
            found["totp-failures"] = 0
            found.pop("totp-locked", None)
        return True
    _count_failure(found, kind, now)
    return False


def _use_totp(enabled: list[dict[str, Any]], value: str, now: float) -> bool:
    for entry in enabled:
        step = _matching_step(entry["secret"], value, now)
        if step is not None and step > entry["last"]:
            entry["last"] = step
            return True
    return False


def _use_recovery(enabled: list[dict[str, Any]], value: str) -> bool:
    for entry in enabled:
        if value in entry["codes"]:
            entry["codes"][entry["codes"].index(value)] = None
            return True
    return False


def _count_failure(found: Factors, kind: str, now: float) -> None:
    found["failures"] += 1
    if kind == "totp":
        found["totp-failures"] += 1
        if found["totp-failures"] >= MAX_TOTP_FAILURES:
            found["totp-locked"] = True
    if found["failures"] >= MAX_FAILURES:
        found["failures"] = 0
        found["locked-until"] = int(now) + LOCK_SECONDS


def unlock(found: Factors, now: float) -> bool:
    """End every lock; tell whether there was one."""
    was = bool(found.get("totp-locked")) or found.get("locked-until", 0) > now
    found["failures"] = found["totp-failures"] = 0
    found.pop("totp-locked", None)
    found.pop("locked-until", None)
    return was
