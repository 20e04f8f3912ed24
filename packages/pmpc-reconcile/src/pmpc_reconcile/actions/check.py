"""`check`: is everything there that the other verbs need?"""

from __future__ import annotations

from typing import Any

import attrs

from pmpc_reconcile.actions.spec import ActionContext, ActionSpec, Risk
from pmpc_reconcile.events import EventSink


@attrs.frozen
class CheckInput:
    """Nothing to choose."""


@attrs.frozen
class Finding:
    """One thing that was checked.

    Attributes:
        subject: What: `connection`, `quorum`, `nodes`, `permissions`.
        level: `ok`, `warning` or `error`.
        message: What was found, and what to do about it.
    """

    subject: str
    level: str
    message: str


@attrs.frozen
class CheckOutput:
    """Everything that was checked.

    Attributes:
        findings: In the order of checking.
    """

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Return whether nothing is an error."""
        return all(item.level != "error" for item in self.findings)


async def run(context: ActionContext, value: CheckInput, on_event: EventSink) -> CheckOutput:
    """Ask version, cluster status and permissions."""
    client = context.connection()
    version: dict[str, Any] = await client.request("GET", "/version")
    findings = [Finding("connection", "ok", f"Proxmox VE {version['version']} answers")]
    status: list[dict[str, Any]] = await client.request("GET", "/cluster/status")
    findings.extend(_cluster(status))
    permissions: dict[str, dict[str, int]] = await client.request("GET", "/access/permissions")
    findings.append(_permissions(permissions))
    return CheckOutput(tuple(findings))


def _cluster(status: list[dict[str, Any]]) -> list[Finding]:
    findings: list[Finding] = []
    for entry in status:
        if entry.get("type") == "cluster":
            quorate = bool(entry.get("quorate"))
            findings.append(
                Finding("quorum", "ok", "the cluster is quorate")
                if quorate
                else Finding("quorum", "error", "the cluster has no quorum: nothing can be changed")
            )
    nodes = [entry for entry in status if entry.get("type") == "node"]
    offline = sorted(str(entry["name"]) for entry in nodes if not entry.get("online"))
    if offline:
        text = f"offline: {', '.join(offline)}; what is on them is unknown"
        findings.append(Finding("nodes", "warning", text))
    else:
        findings.append(Finding("nodes", "ok", f"{len(nodes)} of {len(nodes)} online"))
    return findings


def _permissions(permissions: dict[str, dict[str, int]]) -> Finding:
    if not permissions:
        return Finding(
            "permissions",
            "error",
            "the token may do nothing; give it a role, or create it without privilege separation",
        )
    root = permissions.get("/", {})
    missing = [name for name in ("VM.Audit", "VM.Allocate", "Datastore.Audit") if name not in root]
    if missing:
        text = f"the token lacks {', '.join(missing)} on /; some objects may be invisible"
        return Finding("permissions", "warning", text)
    return Finding("permissions", "ok", "the token sees and may change guests")


SPEC = ActionSpec(
    name="check",
    summary="Check connection, quorum, nodes and permissions",
    risk=Risk.READ,
    input=CheckInput,
    output=CheckOutput,
    run=run,
    stores=False,
)
