"""Profiles: what one kind of app takes of a model file. One file each, named like the option value (with
hyphens there)."""
