"""How well a search searches: every configuration of a space measured once, and searches replayed on that."""
