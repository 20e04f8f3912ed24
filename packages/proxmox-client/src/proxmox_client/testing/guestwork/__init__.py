"""What tasks do to guests: disks, power, copies, moves, removal, between handlers and pure rules.

Here belongs what needs the cluster (clock, locks, volumes, task log) and serves several operations.

Not here: the API's parameters and answers (``testing.handlers``), rules that need nothing but the
guest itself (``testing.guests``).
"""
