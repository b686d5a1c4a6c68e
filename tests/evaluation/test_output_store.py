"""evaluation/output_store.py: what a run keeps, and two runs at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resnet_edge.core.artifact import Artifact
from resnet_edge.core.errors import OutputError
from resnet_edge.data.images_task import Images
from resnet_edge.evaluation.job import Target
from resnet_edge.evaluation.output_store import OutputStore

VERSIONS = {"litert": "1"}
PLACE = Target("litert", "cpu")
IMAGES = Images(images="images.npy", labels=None, n=3, class_names=(), source="some", sha256="0" * 64)


def artifact(content: str) -> Artifact:
    return Artifact(
        path="net.tflite",
        format="tflite",
        scheme="fp32",
        size_bytes=1,
        sha256=content * 64,
        inputs=(),
        outputs=(),
    )


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


Make = Callable[..., OutputStore]


@pytest.fixture
def store_of() -> Iterator[Make]:
    """Stores that give up their locks at the end, as processes do."""
    stores = []

    def one(private: Path, versions: dict[str, str] = VERSIONS) -> OutputStore:
        stores.append(OutputStore(versions, private))
        return stores[-1]

    yield one
    for store in stores:
        store.release()


def folder(store: OutputStore, content: str = "a") -> Path:
    return store.folder(artifact(content), PLACE, IMAGES, None)


def test_a_run_finds_what_an_ended_one_kept(tmp_path: Path, cache: Path, store_of: Make) -> None:
    ended = store_of(tmp_path / "one")
    (folder(ended) / "shard.npy").write_bytes(b"kept")
    ended.release()
    kept = folder(store_of(tmp_path / "two"))
    assert cache in kept.parents
    assert (kept / "shard.npy").read_bytes() == b"kept"


def test_other_bytes_and_other_versions_have_another_folder(tmp_path: Path, store_of: Make) -> None:
    store, other = store_of(tmp_path), store_of(tmp_path, {"litert": "2"})
    assert len({folder(store), folder(store, "b"), folder(other)}) == 3
    assert folder(store) == folder(store)


def test_a_run_beside_another_has_a_folder_of_its_own_and_clears_its_own_alone(
    tmp_path: Path, cache: Path, store_of: Make
) -> None:
    first, second = (store_of(tmp_path / name) for name in ("one", "two"))
    ours, theirs = folder(first), folder(second)
    assert ours != theirs
    assert tmp_path / "two" in theirs.parents
    second.clear()
    assert ours.is_dir()
    first.clear()
    assert not ours.exists()
    assert folder(store_of(tmp_path / "three")) == ours


def test_a_cache_that_cannot_be_written(cache: Path, tmp_path: Path, store_of: Make) -> None:
    cache.write_bytes(b"a file")
    with pytest.raises(OutputError, match="XDG_CACHE_HOME"):
        folder(store_of(tmp_path))
