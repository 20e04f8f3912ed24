"""How a database gets from one version of the tables to the next, and back.

Belongs here: the Alembic environment and one hand-written module per version. A migration says
in full what it does and imports nothing of the schema, which moves on.
"""
