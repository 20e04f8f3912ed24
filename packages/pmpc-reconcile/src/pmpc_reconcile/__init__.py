"""Declarative management of Proxmox VE: manifests, plan, apply, drift, conflicts, rollback."""
