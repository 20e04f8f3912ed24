"""REST routes, one module per resource, all below `/api/v1`."""
