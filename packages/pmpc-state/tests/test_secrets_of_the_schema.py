"""Every parameter of every version of PVE's API that sounds secret is one to us, or it says why."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from pmpc_state.canonical import SecretKey, canonical_json, redact
from proxmox_client.schema import PropertyFormat, operations

KEY = SecretKey(b"k" * 32)
SECRET = "hunter2-" + "x" * 40
SOUNDS_SECRET = re.compile(
    r"pass|secret|token|key|cred|priv(?!s)|auth(?!or)|ticket|otp|cert|hmac|phrase|proxy|psk"
    r"|headers?$|^env$|^data$|^body$|community",
    re.IGNORECASE,
)
PUBLIC = {
    "application_metadata": "what a Ceph pool is for",
    "authid": "who asks, not with what",
    "authsupported": "names of methods",
    "authurl": "no settings; it is answered for one login",
    "cert": "a path of a certificate; certificates are public",
    "certificates": "certificates are public",
    "certkey": "a path of a key file on the node",
    "config-keys": "names of settings",
    "full-tokenid": "a name",
    "generate-password": "whether to",
    "hotplug": "no key of a lock",
    "keep-hourly": "a number",
    "keyboard": "a layout",
    "keyctl": "whether to allow a system call",
    "lock-token": "of one change, never in a setting",
    "master-pubkey": "public",
    "ms-cert": "which certificates are enrolled",
    "no-key-sharing": "whether to",
    "pre-enrolled-keys": "whether keys are there",
    "proxy": "an address to reach a console",
    "public-key-bits": "public",
    "public-key-type": "public",
    "public_key": "public",
    "skip-cert-verification": "whether to",
    "ssh-public-keys": "public",
    "sshkeys": "public",
    "token-coefficient": "a time of corosync",
    "tokenid": "a name",
    "tokens": "names",
    "totp-locked": "whether",
    "unprivileged": "whether",
    "verify-certificate": "whether to",
    "verify-certificates": "whether to",
    "webauthn": "whose the second factors are",
}
ELSEWHERE = {
    "data": "of ACME plugins: a secret by its collection; of the agent and hosts: no settings",
    "input-data": "standard input of a command in a guest, no setting",
}
IN_A_FORM = {
    "body": '{{"token": "{0}"}}',
    "env": "PGPASSWORD={0}",
    "header": "name=Authorization,value={0}",
    "http_proxy": "http://joe:{0}@proxy:3128",
}
"""Values in which a secret has a place of its own, and the rest is shown."""


def _names() -> Iterator[str]:
    for one in operations():
        for name, facts in one.parameters.items():
            yield name
            if isinstance(facts.format, PropertyFormat):
                yield from facts.format.keys


def test_the_api_names_no_secret_that_is_not_known() -> None:
    sound = {name for name in _names() if SOUNDS_SECRET.search(name)}
    assert len(sound) > 30, "the schema is not read"
    shown = {
        name
        for name in sound - PUBLIC.keys() - ELSEWHERE.keys()
        if SECRET in canonical_json(redact({name: IN_A_FORM.get(name, "{0}").format(SECRET)}, KEY))
    }
    assert shown == set()


@pytest.mark.parametrize(
    ("where", "options"),
    [
        ("storage", ("password", "keyring", "encryption-key")),
        ("notification", ("token", "password", "secret")),
        ("realm", ("password", "client-key")),
        ("metric server", ("token", "otel-headers")),
        ("ACME", ("eab-hmac-key",)),
        ("SDN dns and ipam", ("key", "token")),
        ("cloud-init", ("cipassword",)),
        ("user", ("keys", "password")),
        ("console", ("vncticket", "ticket")),
    ],
)
def test_a_secret_of_each_area_is_gone_and_drift_in_it_is_seen(
    where: str, options: tuple[str, ...]
) -> None:
    for option in options:
        before, after = (redact({option: SECRET + end}, KEY) for end in "ab")
        assert SECRET not in canonical_json(before), where
        assert before != after, where
