"""Software-defined networks: staged and running objects, the lock token, what is pending.

Here belong state and pure rules; requests belong to `handlers`. No packet is forwarded.
"""
