"""The firewall: which packets reach a node's management, and edits that never cut it off.

`state` holds one level's configuration, `reach` tells who gets in, `edits` finds the single calls
from one configuration to another (`parts`: those about everything but rules), `arranging` where
rules belong among those of others.
"""

from __future__ import annotations
