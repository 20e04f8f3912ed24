"""Each kind of refusal that a caller would tell apart has an error class of its own."""

from __future__ import annotations

import json

import pytest

from proxmox_client import (
    AgentNotRunning,
    AlreadyExists,
    ApiError,
    FeatureUnavailable,
    InUse,
    LockTokenInvalid,
    NotFound,
    OperationNotImplemented,
    ParameterInvalid,
    Protected,
    StorageUnavailable,
    WrongState,
    errors,
)
from proxmox_client.wire.answer import error_class, read_failure
from proxmox_client.wire.request import Request, Response
from tests.conformance.answers import areas, exchanges

# Sentences as recorded from PVE 9.2; numbers and names are the recorded ones.
SENTENCES: dict[type[ApiError], list[str]] = {
    AgentNotRunning: ["QEMU guest agent is not running", "No QEMU guest agent configured"],
    InUse: [
        "delete pool failed: pool 'p1' is not empty (contains pool 'p1/child')",
        "IPSet 'bl' is not empty",
        "Security group 'web' is not empty",
        "unable to remove VM 300 - used in HA resources and purge parameter not set.",
        "delete sdn zone object failed: zone z1 is used by vnet v1 at /usr/share/x.pm line 1.",
        "base volume 'local:1/base-1-disk-0.qcow2' is still in use by linked cloned",
    ],
    Protected: [
        "can't remove VM 104 - protection mode enabled",
        "cannot remove protected volume 'backup/vzdump-lxc-1.tar.zst' on 'local'",
        "auto-generated role 'Administrator' cannot be deleted",
    ],
    FeatureUnavailable: [
        "Linked clone feature is not supported for 'local:105/vm-105-disk-0.raw' (scsi0)",
        "Linked clone feature for 'local:1/base-1-disk-0.raw' is not available",
        "snapshot feature is not available",
        "missing replicate feature on volume 'local:300/vm-300-disk-0.qcow2'",
        "can't clone VM to node 'pve2' (VM uses local storage)",
        "can't clone to non-shared storage 'local2'",
        "shrinking disks is not supported",
        "unable to shrink disk size",
        "storage 'extra' does not support 'iso' content",
    ],
    StorageUnavailable: [
        "create storage failed: storage 'nfs1' is not online",
        "storage 'extra' is disabled",
        "error fetching datastores - 500 Can't connect to 192.0.2.1:8007 (Connection refused)",
    ],
    LockTokenInvalid: [
        "could not release lock: invalid lock token provided! at /usr/share/x.pm line 1."
    ],
    WrongState: [
        "can't migrate running VM without --online",
        "you can't start a vm if it's a template",
        "you can't convert a template to a template",
        "unable to create template, because VM contains snapshots",
        "service 'vm:300' in error state, must be disabled and fixed first",
        "VM 100 not running",
    ],
    OperationNotImplemented: ["cannot index groups: ha groups have been migrated to rules"],
    ParameterInvalid: ["invalid parameter 'group': ha groups have been migrated to rules"],
    NotFound: ["RRD error: opening '/var/lib/x/100': No such file or directory"],
    AlreadyExists: ["snapshot name 's1' already used"],
}


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [(kind, sentence) for kind, sentences in SENTENCES.items() for sentence in sentences],
)
def test_a_sentence_has_its_class_as_an_answer_and_as_a_tasks_end(
    kind: type[ApiError], sentence: str
) -> None:
    request = Request("x", "POST", "/nodes/pve1/qemu/100", "/nodes/pve1/qemu/100")
    body = json.dumps({"data": None, "message": f"{sentence}\n"}).encode()
    failure = read_failure(request, Response(500, sentence, body))
    assert type(failure) is kind
    assert failure.reason == sentence
    assert error_class(sentence) is kind


def test_nine_of_ten_recorded_refusals_have_a_class_of_their_own() -> None:
    found = [
        read_failure(exchange.request(), exchange.response())
        for area in areas()
        for exchange in exchanges(area)
        if exchange.status >= 400
    ]
    plain = [error for error in found if type(error) is ApiError]
    assert len(found) > 600
    assert len(plain) <= len(found) / 10, sorted({error.reason for error in plain})


def test_every_class_of_the_tree_can_be_imported_from_the_package() -> None:
    import proxmox_client

    for name in errors.__all__:
        assert getattr(proxmox_client, name) is getattr(errors, name)
        assert errors.__doc__ is not None
        assert name in errors.__doc__
