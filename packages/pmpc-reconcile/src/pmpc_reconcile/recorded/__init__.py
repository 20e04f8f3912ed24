"""The recorded past as manifests: what would bring an object back to how it was.

Belongs here: which object somebody means, reading all of it from the record as of a moment, and
writing its manifest with what has to be known of it. Does not belong here: how a manifest of an
object looks (`documents`, shared with adopting) and asking the cluster (`live`): nothing here does.
"""
