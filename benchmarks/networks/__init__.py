"""The networks of keras.applications, and small ones of the kinds that people bring, through every command.

    python -m benchmarks.networks WORK [--cases DIR]

The table of docs is `benchmarks.networks.table`.
"""

from benchmarks.networks.table import table as table
