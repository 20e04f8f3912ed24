"""When to send again, and how long to wait before that. Pure."""

from __future__ import annotations

import attrs


@attrs.frozen
class RetryPolicy:
    """How often and how long requests that do no harm are repeated.

    Only reads, and requests of which no byte has left, are ever sent again.

    Attributes:
        attempts: Sendings altogether; 1 turns retries off.
        deadline: Seconds after the first sending from which on none is started.
        first_delay: Seconds before the second sending; doubles each time.
        max_delay: Longest wait.
    """

    attempts: int = 3
    deadline: float = 30.0
    first_delay: float = 0.2
    max_delay: float = 5.0

    def delay(self, failures: int, dice: float) -> float:
        """Return the seconds to wait after so many failures: half fixed, half by the dice.

        Args:
            failures: Failures so far, at least 1.
            dice: A number in [0, 1).
        """
        full = min(self.max_delay, self.first_delay * 2.0 ** (failures - 1))
        return full * (0.5 + dice / 2)

    def allows(self, failures: int, elapsed: float, delay: float) -> bool:
        """Say whether another sending may start after waiting `delay`."""
        return failures < self.attempts and elapsed + delay <= self.deadline
