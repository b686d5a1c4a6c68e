"""Delegates and accelerators: what each takes of a graph, by its own documentation. One file each."""
