"""Conversations of several requests, written once as generators that yield effects.

Belongs here: effects, their two drivers, retry decisions, calling, waiting for tasks, following
logs. Does not belong here: HTTP libraries and sockets (`transport`), encoding (`wire`), and
anything that sleeps, reads a clock or rolls dice by itself.
"""
