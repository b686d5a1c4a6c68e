"""The self-tests and the preprocessing in JavaScript, run in Node.js and in Chromium."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from resnet_edge.backends._web import packages as web_packages
from resnet_edge.backends._web.server import WebServer
from resnet_edge.core.errors import MissingDependency
from resnet_edge.core.image_contract import PRESETS, contract
from resnet_edge.data.resize import apply
from tests.backends import tiny
from tests.bundle.samples import bundles
from tests.bundle.samples.bundles import changed, sha256
from tests.bundle.samples.photos import HOSTILE, cases
from tests.data.photos import noise

NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed")

_PREPARE = """
import { readFile, writeFile } from "node:fs/promises";
import { prepare } from "./samples/javascript/preprocess.mjs";
for (const { name, width, height, how } of JSON.parse(await readFile(process.argv[2], "utf8"))) {
  const data = new Uint8Array(await readFile(`${name}.rgba`));
  await writeFile(`${name}.out`, prepare({ width, height, channels: 4, data }, how).data);
}
"""


def node(folder: Path, *words: str) -> tuple[int, str, str]:
    assert NODE is not None
    done = subprocess.run([NODE, *words], cwd=folder, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout, done.stderr


@needs_node
def test_pixels_are_those_of_the_reference(bundle: Path) -> None:
    wanted: dict[str, NDArray[np.uint8]] = {}
    requests = []
    for number, (how, photo) in enumerate(cases()):
        rgba = np.dstack([photo, np.full(photo.shape[:2], 255, np.uint8)])
        (bundle / f"{number}.rgba").write_bytes(rgba.tobytes())
        height, width = photo.shape[:2]
        requests.append({"name": str(number), "width": width, "height": height, "how": asdict(how)})
        wanted[str(number)] = apply(how, Image.fromarray(photo))
    (bundle / "cases.json").write_text(json.dumps(requests))
    (bundle / "prepare.mjs").write_text(_PREPARE)
    code, _, error = node(bundle, "prepare.mjs", "cases.json")
    assert code == 0, error
    assert len(wanted) > 100
    for name, pixels in wanted.items():
        assert (bundle / f"{name}.out").read_bytes() == pixels.tobytes(), requests[int(name)]


@pytest.fixture
def with_packages(bundle: Path) -> Path:
    try:
        web_packages.require("selftest.mjs", "onnxruntime-node", browser=False)
    except MissingDependency as error:
        pytest.skip(str(error))
    if NODE is None:
        pytest.skip("node is not installed")
    (bundle / "node_modules").symlink_to(web_packages.node_modules())
    return bundle


def test_node_passes_and_tells_what_is_off(with_packages: Path) -> None:
    bundle = with_packages
    code, said, error = node(bundle, "selftest/selftest.mjs")
    passed, last = said.splitlines()
    assert (code, passed) == (0, "passed onnx/fixed.onnx on onnxruntime_node: 4 images"), error
    assert last == "RIGHT here. Model files that give what was proved: 1"

    picture = bundle / "golden/images/02.png"
    Image.fromarray(tiny.pixels(1, seed=9)[0, ..., 0]).save(picture)

    def spoil(golden: Any) -> None:
        golden["images"][2]["sha256"] = sha256(picture.read_bytes())

    (bundle / "golden/images/03.png").write_bytes((bundle / "golden/images/00.png").read_bytes())
    changed(bundle, spoil)
    scores = bundles.scores_of(bundle, 2)
    scores[1, 3] += 0.01
    bundles.with_scores(bundle, 2, scores)
    code, said, _ = node(bundle, "selftest/selftest.mjs")
    assert code == 1
    assert "golden/images/01.png: the OUTPUT is off: a score by 0.0100" in said
    assert "golden/images/02.png: the INPUT is off" in said
    assert "golden/images/03.png: the picture is missing or not the one of the bundle" in said
    assert said.count("golden/images") == 3


def test_node_compares_something_or_fails(with_packages: Path) -> None:
    bundle = with_packages
    assert node(bundle, "selftest/selftest.mjs", "onnx/other.onnx")[0] == 1
    shutil.copy(bundle / "litert/fixed.tflite", bundle / "onnx/fixed.onnx")
    assert node(bundle, "selftest/selftest.mjs")[0] == 1
    changed(bundle, lambda golden: golden.update(images=[]))
    shutil.copy(bundle / "litert/fixed.tflite", bundle / "onnx/fixed.onnx")
    assert node(bundle, "selftest/selftest.mjs")[0] == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *[(name, None) for name in ("bundle.json", "golden/golden.json", "preprocessing.json", "labels.txt")],
        *[(name, "{") for name in ("bundle.json", "golden/golden.json", "preprocessing.json")],
        *[("bundle.json", content) for content in ("null", "[]", "{}", '{"sha256": 3}')],
        ("golden/golden.json", '{"files": 1}'),
        ("labels.txt", "Zebra\n"),
    ],
)
@needs_node
def test_node_tells_of_a_damaged_document(bundle: Path, name: str, content: str | None) -> None:
    """In one line, and needs nothing installed for it."""
    (bundle / name).unlink()
    if content is not None:
        (bundle / name).write_text(content)
    code, said, error = node(bundle, "selftest/selftest.mjs")
    assert (code, said.count("\n"), error) == (1, 1, "")
    assert said.startswith("FAILED: ")


@pytest.mark.parametrize("content", [None, b"", b"ONNX"])
def test_node_tells_of_a_damaged_file(with_packages: Path, content: bytes | None) -> None:
    for name in ("onnx/fixed.onnx", "golden/scores/fixed.onnx.bin", "golden/images/01.png"):
        path = with_packages / name
        whole = path.read_bytes()
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        code, said, error = node(with_packages, "selftest/selftest.mjs")
        assert (code, error) == (1, "")
        verdict, why, last = said.splitlines()
        assert last.startswith("NOT RIGHT here")
        assert verdict.startswith("FAILED onnx/fixed.onnx")
        assert why.endswith("is missing or not the one of the bundle: copy it again")
        path.write_bytes(whole)


@needs_node
@pytest.mark.parametrize("script", ["selftest/selftest.mjs", "samples/javascript/classify.mjs"])
def test_node_says_what_is_not_installed(bundle: Path, script: str) -> None:
    code, said, error = node(bundle, script, *(["photo.png"] if "classify" in script else []))
    assert (code, (said + error).count("\n")) == (1, 1)
    assert "npm install onnxruntime-node" in said + error


def test_node_tells_of_what_is_no_photo(with_packages: Path) -> None:
    if not (web_packages.node_modules() / "sharp").is_dir():
        pytest.skip("the npm package sharp is not installed")
    (with_packages / "text.png").write_text("no photo")
    for words in ((), ("none.png",), ("text.png",)):
        code, said, error = node(with_packages, "samples/javascript/classify.mjs", *words)
        assert (code, said, error.count("\n")) == (1, "", 1), error


@needs_node
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_png_is_decoded_as_pillow_does(bundle: Path, mode: str) -> None:
    """Pillow chooses a filter for each row, and so all five occur."""
    smooth = np.add.outer(np.arange(37), np.arange(29)) % 256
    photo = Image.fromarray(np.dstack([smooth, 2 * smooth % 256, noise(37, 29)[..., 0]]).astype(np.uint8))
    photo.convert(mode).save(bundle / "photo.png")
    script = (
        'import { readFileSync as read, writeFileSync as write } from "node:fs";'
        'import { decodePng } from "./selftest/png.mjs";'
        'write("out", decodePng(new Uint8Array(read("photo.png"))).data);'
    )
    (bundle / "decode.mjs").write_text(script)
    code, _, error = node(bundle, "decode.mjs")
    assert code == 0, error
    wanted = Image.open(bundle / "photo.png").convert("RGBA").tobytes()
    assert (bundle / "out").read_bytes() == wanted


@pytest.mark.slow
def test_a_browser_passes_and_tells_what_is_off(bundle: Path, tmp_path: Path) -> None:
    try:
        for package in ("@litertjs/core", "onnxruntime-web"):
            web_packages.require("selftest/index.html", package)
    except MissingDependency as error:
        pytest.skip(str(error))
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=web_packages.chromium("selftest"), chromium_sandbox=os.geteuid() != 0
        )
        title, said = opened(browser, bundle)
        assert title == "passed", said
        assert [line.split(":")[0] for line in said.splitlines()] == [
            "passed litert/fixed.tflite on litert_js",
            "passed litert/uint8.tflite on litert_js",
            "passed onnx/fixed.onnx on onnxruntime_web",
            "RIGHT here. Model files that give what was proved",
        ]
        scores = bundles.scores_of(bundle, 1)
        scores[2] = scores[2, ::-1].copy()
        bundles.with_scores(bundle, 1, scores)
        title, said = opened(browser, bundle)
        assert title == "FAILED"
        assert "golden/images/02.png: the OUTPUT is off" in said
        assert said.count("golden/images") == 1
        changed(bundle, lambda golden: golden.update(images=[]))
        title, said = opened(browser, bundle)
        assert (title, "nothing was compared" in said) == ("FAILED", True)
        browser.close()


def opened(browser: Any, bundle: Path) -> tuple[str, str]:
    """The title and the text of the page, when it has come to an end."""
    served = bundle.parent / f"served{len([*bundle.parent.iterdir()])}"
    shutil.copytree(bundle, served)
    modules = web_packages.node_modules()
    for package in ("@litertjs", "onnxruntime-web"):
        shutil.copytree(modules / package, served / "node_modules" / package)
    server = WebServer({"bundle": served})
    try:
        page = browser.new_page()
        page.goto(server.url("bundle/selftest/index.html"))
        page.wait_for_function("['passed', 'FAILED'].includes(document.title)", timeout=60_000)
        return page.title(), page.text_content("#said")
    finally:
        server.close()


def test_node_names_a_photo_as_python_does(with_packages: Path) -> None:
    """A photo that lies on its side, in PNG, because decoders of JPEG differ by a level."""
    if not (web_packages.node_modules() / "sharp").is_dir():
        pytest.skip("the npm package sharp is not installed")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(noise(40, 61)).save(with_packages / "photo.png", exif=exif)
    code, said, error = node(with_packages, "samples/javascript/classify.mjs", "photo.png")
    assert code == 0, error
    command = [sys.executable, "samples/python/classify.py", "photo.png", "onnx/fixed.onnx"]
    python = subprocess.run(command, cwd=with_packages, capture_output=True, text=True, check=True)
    assert said == python.stdout


def test_a_bundle_without_onnx_has_nothing_for_node(tmp_path: Path, artifacts: Path) -> None:
    facts = bundles.write(tmp_path / "b", artifacts, ("litert/fixed.tflite",))
    assert "selftest/selftest.mjs" not in bundles.rendered(facts)
    assert "selftest/index.html" in bundles.rendered(facts)
    facts = bundles.write(tmp_path / "c", artifacts, ("mcu/int8.tflite",))
    assert not [path for path in bundles.rendered(facts) if path.endswith((".mjs", ".html"))]


def test_types_agree_with_those_of_the_packages(with_packages: Path) -> None:
    """`tsc --checkJs` against the packages' own declarations."""
    compiler = web_packages.node_modules() / "typescript/lib/tsc.js"
    if not compiler.is_file():
        pytest.skip("the npm package typescript is not installed")
    options = (
        *("--checkJs", "--allowJs", "--strict", "--noEmit", "--skipLibCheck", "--target", "es2022"),
        *("--module", "nodenext", "--moduleResolution", "nodenext", "--lib", "es2022,dom"),
    )
    files = [path for path in bundles.rendered_paths(with_packages) if path.endswith(".mjs")]
    code, said, _ = node(with_packages, str(compiler), *options, *files)
    assert (code, said) == (0, "")


def test_hostile_contracts_are_among_the_cases() -> None:
    assert {how.name for how, _ in cases()} >= {*PRESETS, *HOSTILE}
    assert contract("pillow", 8, 8, 3) in [how for how, _ in cases()]
