"""Certificates of a node: its own, signed by the cluster, and one for the web interface."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from proxmox_client.testing.request import PveFault

if TYPE_CHECKING:
    from cryptography import x509

    from proxmox_client.testing.cluster import SimulatedCluster
    from proxmox_client.testing.state import Node

CUSTOM = "pveproxy-ssl.pem"
YEAR = 365 * 86400


def custom(node: Node) -> dict[str, Any] | None:
    """Return what is known of the certificate somebody put there; None if nobody did."""
    return node.files.get("certificate")


def all_of(cluster: SimulatedCluster, node: Node) -> list[dict[str, Any]]:
    """Return what is known of a node's certificates."""
    authority = "/CN=Proxmox Virtual Environment/OU=pmpc/O=PVE Cluster Manager CA"
    names = ["127.0.0.1", "0000:0000:0000:0000:0000:0000:0000:0001", "localhost"]
    began = int(node.booted) - 86400
    rows = [
        _row("pve-root-ca.pem", authority, authority, [], began, 10 * YEAR, 4096),
        _row(
            "pve-ssl.pem",
            f"/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN={node.name}.localdomain",
            authority,
            [*names, node.address, node.name, f"{node.name}.localdomain"],
            began,
            2 * YEAR,
            2048,
        ),
    ]
    rows[1]["fingerprint"] = node.fingerprint
    found = custom(node)
    return [*rows, found] if found else rows


def _row(
    filename: str, subject: str, issuer: str, names: list[str], began: int, life: int, bits: int
) -> dict[str, Any]:
    digest = hashlib.sha256(f"{filename} {subject}".encode()).digest()
    return {
        "filename": filename,
        "fingerprint": ":".join(f"{byte:02X}" for byte in digest),
        "subject": subject,
        "issuer": issuer,
        "san": names,
        "notbefore": began,
        "notafter": began + life,
        "public-key-type": "rsaEncryption",
        "public-key-bits": bits,
    }


def issued(names: list[str], authority: str, now: float) -> dict[str, Any]:
    """Make what is known of a certificate an authority issued for some names."""
    row = _row(CUSTOM, f"/CN={names[0]}", f"/O={authority}", names, int(now), 90 * 86400, 4096)
    digest = hashlib.sha256(f"{names} {now}".encode()).digest()
    return row | {"fingerprint": ":".join(f"{byte:02X}" for byte in digest)}


def read_pem(text: str) -> dict[str, Any]:
    """Read an uploaded certificate chain; the first one counts.

    Raises:
        PveFault: It cannot be read.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    try:
        found = x509.load_pem_x509_certificates(text.encode())[0]
    except ValueError:
        raise PveFault(500, "unable to read certificate from '/tmp/custom.pem'") from None
    key = found.public_key()
    return {
        "filename": CUSTOM,
        "fingerprint": ":".join(f"{byte:02X}" for byte in found.fingerprint(hashes.SHA256())),
        "subject": f"/{found.subject.rfc4514_string().replace(',', '/')}",
        "issuer": f"/{found.issuer.rfc4514_string().replace(',', '/')}",
        "san": _names(found),
        "notbefore": int(found.not_valid_before_utc.timestamp()),
        "notafter": int(found.not_valid_after_utc.timestamp()),
        "public-key-type": "rsaEncryption" if "RSA" in type(key).__name__ else "id-ecPublicKey",
        "public-key-bits": getattr(key, "key_size", 0),
        "pem": found.public_bytes(serialization.Encoding.PEM).decode(),
    }


def _names(found: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [str(entry.value) for entry in extension.value]
