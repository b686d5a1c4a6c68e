"""Every row of `bench`, `verify` and `convert` that is of a GPU, in one go and one JSON file.

    python -m benchmarks.gpu WORK [--keep]

The table of docs is `benchmarks.gpu.table`.
"""

from benchmarks.gpu.table import table as table
