"""Photos of 300 x 300 pixels through all commands, at the size of ImageNet's.

    python -m benchmarks.photos WORK

WORK holds what `benchmarks.photos.folder` made; everything else is made in it, and what is there already is
kept. The table of docs is `benchmarks.photos.table`.
"""

from benchmarks.photos.table import table as table
