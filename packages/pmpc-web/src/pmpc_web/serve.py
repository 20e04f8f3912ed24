"""Run the application on a socket until somebody stops it."""

from __future__ import annotations

import socket
import sys

import uvicorn

from pmpc_web.access import AccessToken
from pmpc_web.app import build_app


def serve(token: AccessToken, show: bool, *, host: str, port: int, context: str | None) -> int:
    """Listen, say where, and serve; return the exit code.

    Args:
        token: What callers must show.
        show: Whether to print the token.
        host: Loopback address.
        port: Port; 0 takes a free one.
        context: Cluster to serve; None for the current one.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen()  # whoever reads the address below may connect at once
        except OSError as error:
            print(
                f"error: cannot listen on {host} port {port}: {error.strerror}\n"
                "hint: choose another with --port",
                file=sys.stderr,
            )
            return 1
        name = f"[{host}]" if ":" in host else host
        print(f"GraphQL  http://{name}:{listener.getsockname()[1]}/graphql")
        print(f"health   http://{name}:{listener.getsockname()[1]}/api/v1/health")
        if show:
            print(f"send     Authorization: Bearer {token.value}")
        sys.stdout.flush()
        server = uvicorn.Server(uvicorn.Config(build_app(token, context), log_level="warning"))
        server.run(sockets=[listener])
    return 0
