"""Changes of good files that keep most of their structure, drawn by Hypothesis.

What changes only bytes is refused by the first check of a parser; what is behind that is reached by a file
that is whole in every respect but one.
"""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from hypothesis import strategies as st

T = TypeVar("T")
Draw = Callable[[st.SearchStrategy[Any]], Any]

TEXTS = (
    "",
    " ",
    "x",
    "image",
    "../../x",
    "/etc/hostname",
    "\x1b[31mred\x07",
    "a\nerror: b",
    "\u202eabc",
    "\ud800",
    "\x00",
    "<script>",
    "`x`|$(y)",
    "é" * 300,
    "conv/bn:0",
    "float8",
    "NaN",
    "1e999",
)
NUMBERS = (
    *(0, 1, -1, 2, 7, 255, 256, -128, 65536, 2**31 - 1, 2**31, -(2**31), 2**32, 2**53, 2**63 - 1, 2**63),
    *(-(2**63), 2**64, 10**30, 0.5, -0.5, 1e-300, 1e300, float("nan"), float("inf"), -float("inf")),
)
OTHERS: tuple[Any, ...] = (
    None,
    True,
    False,
    (),
    {},
    [None],
    [[]],
    [[0]],
    {"class_name": "Dense"},
    {"a": {"b": []}},
    [1, "x", None],
)
DEPTHS = (50, 150, 900, 5000, 100_000)


def pick(draw: Draw, among: Sequence[T]) -> T:
    """One of them."""
    picked: T = draw(st.sampled_from(among))
    return picked


def value(draw: Draw) -> Any:
    """Whatever JSON holds, and most of it where it does not belong."""
    return copy.deepcopy(pick(draw, pick(draw, (TEXTS, NUMBERS, OTHERS))))


def changed_bytes(draw: Draw, content: bytes) -> bytes:
    """Some bytes others, fewer or more."""
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(content) - 1)))
        length = pick(draw, (1, 1, 1, 2, 4, 8, 64, 1000))
        what = pick(draw, ("set", "set", "flip", "cut", "drop", "repeat", "insert"))
        middle = content[at : at + length]
        if what == "set":
            middle = bytes([pick(draw, (0, 1, 0x7F, 0x80, 0xFE, 0xFF))]) * len(middle)
        elif what == "flip":
            middle = bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in middle[:4]) + middle[4:]
        elif what == "cut":
            return content[:at]
        elif what == "drop":
            middle = b""
        elif what == "repeat":
            middle = middle * 2
        else:
            middle = draw(st.binary(max_size=8)) + middle
        content = content[:at] + middle + content[at + length :]
    return content


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every container and key (or index) in a tree of dicts and lists."""
    stack = [tree]
    while stack:
        item = stack.pop()
        keys = list(item) if isinstance(item, dict) else range(len(item)) if isinstance(item, list) else ()
        for key in keys:
            yield item, key
            stack.append(item[key])


def changed_tree(draw: Draw, tree: Any) -> Any:
    """A tree of JSON, one to three of whose places hold something else."""
    holder = [copy.deepcopy(tree)]
    for _ in range(draw(st.integers(1, 3))):
        all_places = list(places(holder))
        container, key = pick(draw, all_places)
        what = pick(draw, ("value", "value", "value", "drop", "rename", "swap", "repeat"))
        if what == "value" or container is holder:
            container[key] = value(draw)
        elif what == "drop":
            del container[key]
        elif what == "rename" and isinstance(container, dict):
            container[pick(draw, TEXTS)] = container.pop(key)
        elif what == "swap":
            other, place = pick(draw, all_places)
            container[key] = copy.deepcopy(other[place])
        elif isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
    return holder[0]


def changed_json(draw: Draw, content: bytes) -> bytes:
    """A document with other values, or nested deeply, or damaged."""
    how = pick(draw, ("tree",) * 8 + ("bytes", "nested"))
    if how == "bytes":
        return changed_bytes(draw, content)
    tree = changed_tree(draw, json.loads(content))
    if how == "tree":
        return json.dumps(tree).encode()
    marked = [copy.deepcopy(tree)]
    container, key = pick(draw, list(places(marked)))
    container[key] = "MARK"
    deep = pick(draw, DEPTHS)
    begin, end = pick(draw, (("[", "]"), ('{"a":', "}"), ('{"class_name": "Dense", "config": ', "}")))
    return json.dumps(marked[0]).replace('"MARK"', begin * deep + "1" + end * deep).encode()


def array(draw: Draw) -> Any:
    """An array of a dtype and shape that is rarely asked for."""
    dtype = pick(
        draw,
        ("<f4", "<f8", "<f2", "|u1", "<i8", "<u8", "?", "<c8", "<U3", "|S3", "|V5", "<M8[s]", "O", ">f4"),
    )
    shape = pick(
        draw,
        ((), (0,), (6,), (5,), (6, 1), (6, 8, 8, 1), (0, 8, 8, 1), (6, 8, 8, 4), (6, 8, 8, 1, 1), (1,) * 32),
    )
    values = np.zeros(shape, dtype)
    if values.dtype.kind == "f" and values.size:
        values.flat[0] = pick(draw, (0.0, np.nan, np.inf, -1.0, 1e30 if dtype != "<f2" else 1.0))
    if values.dtype.kind in "iu" and values.size:
        values.flat[0] = pick(draw, (0, 1, 127))
    return values


def npy(values: Any) -> bytes:
    """It as numpy stores it."""
    stream = io.BytesIO()
    np.save(stream, values)
    return stream.getvalue()


def changed_npy(draw: Draw, content: bytes) -> bytes:
    """Another array, or a header that claims another."""
    how = pick(draw, ("array", "header", "header", "bytes"))
    if how == "array":
        return npy(array(draw))
    if how == "bytes":
        return changed_bytes(draw, content)
    length = int.from_bytes(content[8:10], "little")
    header = content[10 : 10 + length].decode("latin-1")
    old = pick(draw, ("(6, 8, 8, 1)", "(6,)", "(", "'<i8'", "'|u1'", "False", "shape", "{", ","))
    new = pick(
        draw,
        (
            "(10**9,)",
            "(2000000000, 9)",
            "(-1,)",
            "(True,)",
            "'O'",
            "'<U999999'",
            "True",
            "(" * 300,
            "x",
            "[]",
            "'<f4'",
            "(2**70,)",
            "1e9",
        ),
    )
    other = header.replace(old, new, 1).encode("latin-1")
    return content[:8] + len(other).to_bytes(2, "little") + other + content[10 + length :]


Change = Callable[[Draw, bytes], bytes]


def changed_zip(draw: Draw, content: bytes, changes: dict[str, Change]) -> bytes:
    """One member changed, by the first of `changes` whose end its name has; or the archive itself."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        held = [(name, archive.read(name)) for name in archive.namelist()]
    how = pick(draw, ("member",) * 8 + ("drop", "twice", "name", "packed", "bytes"))
    if how == "bytes":
        return changed_bytes(draw, content)
    index = draw(st.integers(0, len(held) - 1))
    name, data = held[index]
    packing = zipfile.ZIP_STORED
    if how == "member":
        change = next((change for end, change in changes.items() if name.endswith(end)), changed_bytes)
        held[index] = name, change(draw, data)
    elif how == "drop":
        del held[index]
    elif how == "twice":
        held.append((name, pick(draw, (data, b"", b"{}"))))
    elif how == "name":
        held[index] = (
            pick(draw, ("../x", "/x", "x\x1b[31m", "a/" * 200, "é.npy", "images.npy", name + "x")),
            data,
        )
    else:
        held.append((pick(draw, ("more", name)), bytes(pick(draw, (10, 1 << 20, 1 << 25)))))
        packing = pick(draw, (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_STORED))
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        for name, data in held:
            archive.writestr(zipfile.ZipInfo(name), data, packing)
    return stream.getvalue()


def changed_text(draw: Draw, content: bytes) -> bytes:
    """Lines that are others, or bytes that are no text."""
    lines = content.decode().split("\n")
    if pick(draw, (True, False)):
        return changed_bytes(draw, content)
    lines[draw(st.integers(0, len(lines) - 1))] = pick(draw, TEXTS)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def changed_photos(draw: Draw, folder: Path) -> None:
    """A folder of photos in which one is damaged, is none, or is in the way."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    file = pick(draw, files)
    how = pick(draw, ("bytes",) * 6 + ("other", "other", "folder", "link", "gone", "name", "nest"))
    if how == "bytes":
        file.write_bytes(changed_bytes(draw, file.read_bytes()))
    elif how == "other":
        file.write_bytes(pick(draw, PHOTOS))
    elif how == "folder":
        file.unlink()
        file.mkdir()
    elif how == "link":
        file.unlink()
        file.symlink_to(pick(draw, (file.name, "/etc/passwd", "/dev/zero", "..", "/nowhere")))
    elif how == "gone":
        file.unlink()
    elif how == "name":
        file.rename(
            file.with_name(pick(draw, ("\x1b[31m.png", "a\nb.png", "é.png", ".png", "x.PNG", "-.gif")))
        )
    else:
        (folder / pick(draw, ("x.png", "amber/deep", "\x1b[2J"))).mkdir()


PHOTOS = (
    b"",
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(marker) (w) file closefile\n",
    b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    b"P6 100000 100000 255\n",
    b"P6 9 9 255\n" + bytes(10),
    b"P5 3 3 65535\n" + bytes(18),
    b"BM" + bytes(100),
    b"GIF89a" + b"\xff" * 40,
    b"II*\x00\x08\x00\x00\x00\xff\xff" + bytes(40),
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x06\x00\x00\x00",
    b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(30),
)
