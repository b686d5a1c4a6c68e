"""Schemes: how numbers are represented. One file each, data only, named like the option value.

To add one, add a file with a `SCHEME`; `tests/contracts` picks it up and asks that at least
one format takes it.
"""
