"""Plans: frozen values, their graph, their text and their saved form.

Here belongs what turns differences into typed steps and what shows or stores them. Not here:
reading from or writing to a cluster (`locate`, `execute`) and comparing fields (`diff`).
"""

from __future__ import annotations
