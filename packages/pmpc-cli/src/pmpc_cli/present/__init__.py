"""How answers look: tables, plans, differences, progress, structured output, errors.

Pure presentation of values the actions return. Nothing here talks to a cluster or a database.
"""
