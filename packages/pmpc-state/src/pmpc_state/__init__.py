"""The complete state of Proxmox VE clusters in a database, now and at any moment before."""
