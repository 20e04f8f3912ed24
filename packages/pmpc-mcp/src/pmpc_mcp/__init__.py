"""MCP server of pmpc: Proxmox VE clusters for AI assistants, plan first.

Here belongs the presentation of actions as MCP tools: names and descriptions a model understands,
limits on what a model may do by itself, progress. Not here: any decision about a cluster; every
tool calls one action of `pmpc_reconcile.actions`. Nothing is imported here: `--help` stays quick.
"""
