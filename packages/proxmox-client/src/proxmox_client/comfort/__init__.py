"""What people write again and again, as methods of both clients.

Here are only the doors; what happens behind them is in `flows`.
"""

from __future__ import annotations

from proxmox_client.comfort.awaiting import AsyncComfort
from proxmox_client.comfort.blocking import Comfort

__all__ = ["AsyncComfort", "Comfort"]
