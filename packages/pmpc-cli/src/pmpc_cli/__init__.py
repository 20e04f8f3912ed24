"""The pmpc command: manage Proxmox VE clusters from a terminal."""
