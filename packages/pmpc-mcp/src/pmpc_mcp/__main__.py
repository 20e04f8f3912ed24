"""The command `pmpc-mcp`: serve over stdin and stdout."""

from __future__ import annotations

import argparse
from importlib.metadata import version

DESCRIPTION = (
    "MCP server for Proxmox VE clusters, over standard input and output. Uses the clusters of "
    "`pmpc context`. Read-only unless started with --allow-write; even then plans with destructive "
    "steps must be applied by a person with `pmpc apply --plan ID`."
)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve until the client leaves; return the exit code."""
    parser = argparse.ArgumentParser(prog="pmpc-mcp", description=DESCRIPTION)
    parser.add_argument("--version", action="version", version=version("pmpc-mcp"))
    parser.add_argument(
        "--context", metavar="NAME", help="cluster to work on; the current one by default"
    )
    parser.add_argument("--allow-write", action="store_true", help="let `apply` change the cluster")
    options = parser.parse_args(arguments)

    # Imported late: the protocol's libraries take a second, and `--help` needs none of them.
    from pmpc_mcp.access import Access
    from pmpc_mcp.server import build_server

    build_server(Access(context=options.context, write=options.allow_write)).run("stdio")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
