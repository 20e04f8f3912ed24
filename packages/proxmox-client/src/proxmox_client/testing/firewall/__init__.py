"""The firewall's configuration: what a file of it holds and what a rule may say.

Here belong pure values and checks; requests belong to `handlers`. Packets are not simulated.
"""
