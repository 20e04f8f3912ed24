"""Plans as files: written all or nothing, for their owner only, and read again."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from pmpc_reconcile.errors import PlanError
from pmpc_reconcile.plans.codec import plan_from_json, plan_to_json

if TYPE_CHECKING:
    from pmpc_reconcile.plans.model import Plan


def save_plan(plan: Plan, path: str | Path) -> None:
    """Write a plan to a file.

    Raises:
        PlanError: It cannot be written.
    """
    where = Path(path)
    try:
        handle, temporary = tempfile.mkstemp(dir=where.parent, prefix=f".{where.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(plan_to_json(plan) + "\n")
            Path(temporary).replace(where)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as failure:
        raise PlanError(f"cannot write the plan to {where}: {failure.strerror}") from failure


def load_plan(path: str | Path) -> Plan:
    """Return the plan of a file.

    Raises:
        PlanError: It cannot be read or is not a plan.
        PlanVersionUnsupported: A newer pmpc wrote it.
    """
    where = Path(path)
    try:
        return plan_from_json(where.read_text(encoding="utf-8"))
    except UnicodeDecodeError as failure:
        raise PlanError(f"cannot read the plan {where}: it is not UTF-8 text") from failure
    except OSError as failure:
        raise PlanError(f"cannot read the plan {where}: {failure.strerror}") from failure
