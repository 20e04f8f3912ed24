"""Everything that is remembered of one cluster, the audit log and who changed what among it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pmpc_reconcile.blame import last_changes
from pmpc_reconcile.blame_settings import settings_changes
from pmpc_reconcile.plans.model import Blame, ObjectPlan
from pmpc_reconcile.records.objects import ObjectRecords
from pmpc_reconcile.records.plans import PlanRecords
from pmpc_reconcile.records.releases import ReleaseRecords


class Records(ObjectRecords, PlanRecords, ReleaseRecords):
    """The recorded state of one cluster."""

    async def audit(self, action: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Append a line to the audit log."""
        await self.run(
            lambda: self.state.writer().audit.append(
                actor=self.actor,
                action=action,
                subject=subject,
                cluster=self.cluster,
                detail=detail,
            )
        )

    async def blame(
        self,
        kind: str,
        key: str,
        options: Iterable[str],
        live: Mapping[str, Any] | None = None,
    ) -> dict[str, Blame]:
        """Return who last changed options of an object, as far as it was observed.

        Args:
            kind: `qemu`, `lxc` or `pool`.
            key: Its key.
            options: Option names, such as `cores`.
            live: Its configuration now, if it is a guest.
        """
        wanted = set(options)

        def read() -> dict[str, Blame]:
            return last_changes(self.state, self.cluster, kind, key, wanted, live)

        return await self.run(read)

    async def settings_blame(self, release: str, item: ObjectPlan) -> dict[str, Blame]:
        """Return who last changed conflicting fields of settings, as far as it was observed."""
        return await self.run(lambda: settings_changes(self.state, self.cluster, release, item))


def lease_name(cluster: str, release: str) -> str:
    """Return the name of the lease under which a release is applied."""
    return f"apply/{cluster}/{release}"
