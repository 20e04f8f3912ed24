"""Answers of the simulated API, one module per area.

Here belong functions marked with `@handles(method, path)`; `routing` collects them from every
module in this package. State belongs to `testing.state`, rules shared by several areas to modules
beside this package.
"""
