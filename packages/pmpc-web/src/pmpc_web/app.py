"""The ASGI application: GraphQL, REST, and who may call them."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from strawberry.fastapi import GraphQLRouter

from pmpc_web.access import LOOPBACK, AccessToken, RequireToken
from pmpc_web.graphql import build_schema
from pmpc_web.rest.health import build_router


def build_app(token: AccessToken, context: str | None = None) -> FastAPI:
    """Return the application.

    Args:
        token: What callers must show, except for the health route.
        context: The cluster it serves; None for the current one at each request.
    """
    # No documentation pages: they load scripts from other hosts.
    app = FastAPI(title="pmpc", version=version("pmpc-web"), docs_url=None, redoc_url=None)
    app.include_router(build_router(context), prefix="/api/v1")
    graphql: GraphQLRouter[None, None] = GraphQLRouter(build_schema(context), graphql_ide=None)
    app.include_router(graphql, prefix="/graphql")
    app.add_middleware(RequireToken, token=token)
    # A page on a hostile site can make its own name resolve to 127.0.0.1; its Host header tells.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*sorted(LOOPBACK), "[::1]"])
    return app
