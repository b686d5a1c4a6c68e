"""The model itself as the reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from resnet_edge.core.errors import DataError
from resnet_edge.evaluation.source import join, reference
from resnet_edge.evaluation.source_task import JoinOutputs, RunReference, batch_size
from resnet_edge.models import ModelRequest
from resnet_edge.workers.progress import silent
from tests.cli.conversion import tinted_images, write_classifier

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_the_image_and_the_layer_of_the_first_nan_are_named(tmp_path: Path) -> None:
    """A square that float32 holds of noise, and not of a white image."""
    image = keras.Input((4, 4, 1))
    mean = keras.layers.GlobalAveragePooling2D(name="mean")(image)
    large = keras.layers.Rescaling(2.2e19, name="large")(mean)
    squared = keras.layers.Multiply(name="squared")([large, large])
    keras.Model(image, keras.layers.Dense(3, name="scores")(squared)).save(tmp_path / "net.keras")
    images = np.zeros((9, 4, 4, 1), np.uint8)
    images[[5, 7]] = 255
    np.save(tmp_path / "images.npy", images)
    (tmp_path / "names.json").write_text('["a","b","c","d","e","night/f.png","g","h","i"]')
    request = RunReference(
        model=ModelRequest(str(tmp_path / "net.keras"), preprocess="unit"),
        images=str(tmp_path / "images.npy"),
        out=str(tmp_path / "out.npy"),
        names=str(tmp_path / "names.json"),
    )
    with pytest.raises(DataError) as raised:
        reference(request, silent)
    text = str(raised.value)
    assert "on 2 of 9 images, first image night/f.png, and there first layer 'squared' (Multiply)" in text
    assert "numbers up to 2.2e+19: leave these images out of --data" in text


@pytest.mark.parametrize("n", [1, 130])
def test_a_last_batch_of_another_size_is_answered_as_the_others(n: int, tmp_path: Path) -> None:
    write_classifier(tmp_path / "tiny.keras")
    images, _ = tinted_images(n, seed=5)
    np.save(tmp_path / "images.npy", images)
    request = ModelRequest(str(tmp_path / "tiny.keras"))
    reference(
        RunReference(model=request, images=str(tmp_path / "images.npy"), out=str(tmp_path / "out.npy")),
        silent,
    )
    model = keras.models.load_model(tmp_path / "tiny.keras", compile=False)
    wanted = model.predict(images.astype(np.float32), batch_size=n, verbose=0)
    outputs = np.load(tmp_path / "out.npy")
    assert outputs.shape == wanted.shape
    np.testing.assert_allclose(outputs, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())


def test_parts_are_the_whole(tmp_path: Path) -> None:
    write_classifier(tmp_path / "tiny.keras")
    images, _ = tinted_images(130, seed=5)
    np.save(tmp_path / "images.npy", images)
    request = ModelRequest(str(tmp_path / "tiny.keras"))
    whole = RunReference(model=request, images=str(tmp_path / "images.npy"), out=str(tmp_path / "out.npy"))
    reference(whole, silent)
    parts = [replace(whole, out=str(tmp_path / f"{at}.npy"), start=at, stop=at + 65) for at in (0, 65)]
    for part in parts:
        reference(part, silent)
    joined = JoinOutputs(parts=tuple(part.out for part in parts), n=130, out=str(tmp_path / "joined.npy"))
    join(joined, silent)
    np.testing.assert_allclose(np.load(joined.out), np.load(whole.out), rtol=0, atol=1e-4)
    with pytest.raises(DataError, match="they are no outputs of 131 images"):
        join(replace(joined, n=131), silent)
    Path(parts[1].out).write_bytes(b"cut")
    with pytest.raises(DataError, match="cannot be joined .* run again"):
        join(joined, silent)


def test_whole_batches_give_the_bits_of_one_run_also_as_arrays_of_their_own(tmp_path: Path) -> None:
    write_classifier(tmp_path / "tiny.keras")
    images, _ = tinted_images(300, seed=5)
    np.save(tmp_path / "images.npy", images)
    request = ModelRequest(str(tmp_path / "tiny.keras"))
    whole = RunReference(model=request, images=str(tmp_path / "images.npy"), out=str(tmp_path / "out.npy"))
    reference(whole, silent)
    size = batch_size(images.shape[1:], len(images))
    assert size == 128
    parts = []
    for start in range(0, 300, size):
        np.save(tmp_path / "cut.npy", images[start : start + size])
        alone = replace(whole, images=str(tmp_path / "cut.npy"), before=start, total=300)
        parts.append(np.load(reference(replace(alone, out=str(tmp_path / f"{start}.npy")), silent).path))
    assert np.concatenate(parts).tobytes() == np.load(whole.out).tobytes()


@pytest.mark.parametrize(
    ("shape", "n", "size"),
    [((28, 28, 1), 10_000, 128), ((224, 224, 3), 500, 13), ((9, 9, 3), 7, 7), ((2048, 2048, 3), 9, 1)],
)
def test_a_batch_is_of_so_many_pixels(shape: tuple[int, int, int], n: int, size: int) -> None:
    assert batch_size(shape, n) == size
