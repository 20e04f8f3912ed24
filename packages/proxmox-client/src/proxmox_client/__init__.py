"""Typed sync and async client for the Proxmox VE API, with a simulator to test against."""
