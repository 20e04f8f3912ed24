"""The structured log: one record for each sending, and one for each repetition."""

from __future__ import annotations

import logging
from typing import Any, Final

from proxmox_client.observing.events import Finished, RetryPlanned, Sending

LOGGER: Final = logging.getLogger("proxmox_client.requests")
"""Answered requests at DEBUG; refused, lost, cancelled and repeated ones at INFO."""


def is_on() -> bool:
    """Say whether anybody wants these records."""
    return LOGGER.isEnabledFor(logging.INFO)


class RequestLog:
    """Writes the records. The facts are attributes of a record, `pve_method` and so on."""

    def before(self, event: Sending) -> None:
        """Wait for its end: a record tells of both."""

    def after(self, event: Finished) -> None:
        """Write the record."""
        level = logging.INFO if event.error else logging.DEBUG
        if not LOGGER.isEnabledFor(level):
            return
        sending = event.sending
        outcome = event.error or event.status
        LOGGER.log(
            level,
            "%s %s: %s in %.3f s",
            sending.method,
            sending.template,
            outcome,
            event.seconds,
            extra={
                **_facts(sending),
                "pve_status": event.status,
                "pve_seconds": event.seconds,
                "pve_bytes_received": event.size,
                "pve_error": event.error or None,
            },
        )

    def retry(self, event: RetryPlanned) -> None:
        """Write that it will be sent again."""
        sending = event.sending
        LOGGER.info(
            "%s %s: %s, again in %.3f s",
            sending.method,
            sending.template,
            event.error,
            event.pause,
            extra={**_facts(sending), "pve_pause": event.pause, "pve_error": event.error},
        )


def _facts(sending: Sending) -> dict[str, Any]:
    return {
        "pve_operation": sending.operation,
        "pve_method": sending.method,
        "pve_path": sending.template,
        "pve_node": sending.node,
        "pve_server": sending.server,
        "pve_attempt": sending.attempt,
        "pve_bytes_sent": sending.size,
    }
