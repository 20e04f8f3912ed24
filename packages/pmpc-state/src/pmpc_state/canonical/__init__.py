"""One spelling per document: canonical JSON, its hash, and fingerprints in place of secrets.

Belongs here: pure functions that decide what bytes stand for a document. Does not belong here:
where the bytes or the key are kept.
"""

from __future__ import annotations

from pmpc_state.canonical.jsontext import canonical_json, content_hash
from pmpc_state.canonical.names import is_secret
from pmpc_state.canonical.secrets import (
    SecretKey,
    holds_fingerprint,
    is_fingerprint,
    redact,
    redact_resource,
)

__all__ = [
    "SecretKey",
    "canonical_json",
    "content_hash",
    "holds_fingerprint",
    "is_fingerprint",
    "is_secret",
    "redact",
    "redact_resource",
]
