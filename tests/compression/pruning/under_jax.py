"""Run by test_taylor.py under another Keras backend: rank, choose, slice and mask; writes found.npz."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from resnet_edge.compression.pruning import PruningTarget, Rules
from resnet_edge.compression.pruning.importance import group_norm
from resnet_edge.compression.pruning.selection import select
from resnet_edge.compression.pruning.slicing import sliced
from resnet_edge.compression.pruning.sparsity import penalty
from tests.compression.pruning import nets, test_taylor
from tests.compression.pruning.masking import masked


def main(folder: Path) -> None:
    model = keras.models.load_model(folder / "m.keras", compile=False)
    channels = nets.mapped(model)
    scores = test_taylor.score(model)
    selection = select(channels, group_norm(channels), PruningTarget("macs", 0.8), Rules(multiple=2))
    small, full = sliced(channels, selection), masked(channels, selection)
    assert small.count_params() < model.count_params()
    assert float(penalty(full, channels, 0.1)) > 0
    difference = np.abs(nets.outputs(small, nets.images()) - nets.outputs(full, nets.images())).max()
    np.savez(folder / "found.npz", backend=keras.backend.backend(), difference=difference, **scores)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
