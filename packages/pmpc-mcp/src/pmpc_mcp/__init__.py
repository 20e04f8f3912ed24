"""MCP server of pmpc: Proxmox VE for AI assistants, plan first."""
