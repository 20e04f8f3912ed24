"""`python -m proxmox_client GET /nodes`: see `proxmox_client.pvesh`."""

from __future__ import annotations

import sys

from proxmox_client.pvesh import main

if __name__ == "__main__":
    sys.exit(main())
