"""Backups: what an archive holds, making one, and bringing a guest back from one.

Here belongs the work inside the tasks; requests belong to `handlers`.
"""
