"""High availability: services, rules, the cluster's manager (CRM) and the nodes' workers (LRM).

Here belong state and rounds; requests belong to `handlers`. Rounds run on the cluster's clock.
"""
