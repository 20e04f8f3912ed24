"""The steps of the demo, a module per act; each ends in claims that were checked."""
