"""A wheel of this package as it runs here: of a clone, an editable install or an installed wheel alike.

The same code gives the same bytes, so that a host that has it is sent nothing. What only a machine that
converts uses, the bundled model and data, is left out. See the binary distribution format:
https://packaging.python.org/en/latest/specifications/binary-distribution-format/"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from pathlib import Path

from resnet_edge import __version__
from resnet_edge.hosts.requirements import PACKAGE, Requirements

FILE = f"resnet_edge-{__version__}-py3-none-any.whl"
_LEFT_OUT = {"__pycache__", "calibration"}
_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can tell."""


def write(folder: Path, requirements: Requirements) -> Path:
    """The wheel, in `folder`. Raises OSError."""
    info = f"resnet_edge-{__version__}.dist-info"
    contents = {
        file.relative_to(PACKAGE.parent).as_posix(): file.read_bytes()
        for file in PACKAGE.rglob("*")
        if file.is_file() and not _LEFT_OUT & {*file.relative_to(PACKAGE).parts}
    }
    contents[f"{info}/METADATA"] = _metadata(requirements).encode()
    contents[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: resnet-edge\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = [f"{name},sha256={_digest(body)},{len(body)}\n" for name, body in sorted(contents.items())]
    contents[f"{info}/RECORD"] = "".join((*record, f"{info}/RECORD,,\n")).encode()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(contents.items()):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    path = folder / FILE
    path.write_bytes(data.getvalue())
    return path


def _metadata(requirements: Requirements) -> str:
    python = ".".join(map(str, requirements.python))
    needs = "".join(f"Requires-Dist: {each}\n" for each in requirements.base)
    return (
        f"Metadata-Version: 2.1\nName: resnet-edge\nVersion: {__version__}\n"
        f"Requires-Python: >={python}\n{needs}"
    )


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
