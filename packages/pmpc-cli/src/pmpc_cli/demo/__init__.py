"""`pmpc demo`: the whole product at work on a simulated cluster.

Here belong the seed of that cluster, the stage it is shown on and the story that is told. The
commands' own actions and presentation do the work; nothing is shown that did not happen.
"""
