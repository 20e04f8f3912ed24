"""GraphQL and REST over the pmpc catalogue of actions."""
