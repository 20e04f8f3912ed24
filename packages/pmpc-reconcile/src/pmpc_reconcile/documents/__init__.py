"""Manifests written from what there is, live or as recorded: one home for adopting and restoring.

Belongs here: from an object as the server shows it to the document that declares it so. Does not
belong here: reading the object (`live`, `recorded`), and what a document means (`manifests`).
"""
