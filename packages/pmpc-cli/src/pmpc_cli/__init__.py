"""The pmpc command: manage Proxmox VE clusters from a terminal.

Here belong: parsing a command line, calling one action of `pmpc_reconcile.actions`, and showing
its answer (tables, plans, differences, progress, errors). Decisions about clusters do not: they
live in the packages below. Other front doors (web, MCP) are never imported; they announce
commands of their own through the entry-point group `pmpc.commands`.
"""
