"""Web API of pmpc: GraphQL and REST over the catalogue of actions.

Here belongs the presentation of actions over HTTP: types, routes, who may call. Not here: any
decision about a cluster; every field and route calls one action of `pmpc_reconcile.actions`.
"""
