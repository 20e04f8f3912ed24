"""Whatever a text holds, loading it ends in manifests or in findings with a place."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pmpc_reconcile.manifests import ManifestInvalid, load_text

GOOD = """\
apiVersion: pmpc/v1
kind: VirtualMachine
metadata: {name: web-1, labels: {tier: web}}
spec:
  placement: {nodes: [pve1]}
  source: {clone: {template: debian-13}}
  config:
    cores: 2
    scsi0: {storage: local-lvm, size: 32G, discard: on}
    net0: virtio,bridge=vmbr0,tag=20
    ide2: local:cloudinit
    tags: [web, prod]
    boot: {order: [scsi0, net0]}
    sshkeys: [ssh-rsa A a@b]
    cipassword: geheim
  restart: {policy: window, window: sun 02:00}
  conflicts: {config.memory: theirs}
---
apiVersion: pmpc/v1
kind: Pool
metadata: {name: p}
spec: {comment: c, guests: [105, Container/x]}
"""
PIECES = ["{}", "[]", "~", "x", "-1", "1.5", "on", "'", '"', ":", ",", "\n", "  ", "- ", "&a ",
          "*a", "<<: ", "!!str ", "|", "#", "\t", "}", "]", "=", "$secret: 1", "é",
          "\x85"]  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = GOOD
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 3, 12])))
        text = text[:start] + draw(st.sampled_from(PIECES)) + text[end:]
    return text


def check(text: str, name: str) -> None:
    try:
        manifests = load_text(text, name=name)
    except ManifestInvalid as invalid:
        manifests, findings = (), invalid.diagnostics
    else:
        findings = ()
    assert manifests or findings
    for finding in findings:
        assert finding.file is None or (finding.line or 0) >= 1
        assert finding.render()
    for manifest in manifests:
        assert isinstance(manifest.fields, dict)
        manifest.to_document()


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_a_damaged_manifest_is_explained(text: str) -> None:
    check(text, "x.yaml")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_explained(text: str) -> None:
    check(text, "x.yaml")
    check(text, "x.json")


@pytest.mark.parametrize("name", ["x.yaml", "x"])
def test_the_undamaged_text_is_fine(name: str) -> None:
    assert [str(each.address) for each in load_text(GOOD, name=name)] == [
        "VirtualMachine/web-1",
        "Pool/p",
    ]
