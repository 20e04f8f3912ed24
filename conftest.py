"""Settings of every test: property tests try the same examples in each run of one version."""

from __future__ import annotations

from hypothesis import settings

# A check that fails by chance blocks whoever comes next. New examples are searched for on purpose:
# pytest --hypothesis-profile=default -p no:cacheprovider PATH
settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")
