"""The command `pmpc web`: serve the API on loopback."""

from __future__ import annotations

import os
import sys


def main(*, host: str = "127.0.0.1", port: int = 8080, context: str | None = None) -> int:
    """Serve GraphQL and REST over the state and the actions of a cluster.

    The access token is printed when the server starts; set PMPC_WEB_TOKEN to choose it.

    Args:
        host: Loopback address to listen on.
        port: Port to listen on; 0 takes a free one.
        context: Cluster to serve; the current one by default.

    Returns:
        The exit code.
    """
    from pmpc_reconcile.contexts import load_contexts
    from pmpc_web.access import LOOPBACK, AccessToken
    from pmpc_web.serve import serve

    if host not in LOOPBACK:
        print(
            f"error: cannot listen on {host}: without TLS the access token would cross the network "
            "in the clear\nhint: use 127.0.0.1 and put a TLS proxy or an SSH tunnel before it",
            file=sys.stderr,
        )
        return 2
    load_contexts().get(context)
    chosen = os.environ.get("PMPC_WEB_TOKEN")
    if chosen is not None and len(chosen) < 16:
        print("error: PMPC_WEB_TOKEN needs at least 16 characters", file=sys.stderr)
        return 2
    token = AccessToken(chosen) if chosen else AccessToken.generate()
    return serve(token, chosen is None, host=host, port=port, context=context)
