"""Defects seeded into good artifacts, for defects.py and for tests of what finds them.

`seed` takes a good file and writes a defective one; `KINDS` are the defects by name. A file is read and
changed through `files.GoodFile`, which `tflite.py` and `onnx_file.py` have for their format, so that a kind
is written once.
"""

from .files import Kind
from .kinds import KINDS, Seeded, applies, open_good, seed

__all__ = ["KINDS", "Kind", "Seeded", "applies", "open_good", "seed"]
