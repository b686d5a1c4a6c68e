"""Whether the constants of a layer are the reference's, and if not, what was done to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from resnet_edge.explanation.layers import Layer, Real
from resnet_edge.explanation.tolerance import FEW_BEYOND, SHARE, Tolerance, bias_units, units

Said = tuple[str, str]
"""A word for programs, and what is wrong, to follow the name of a layer."""
UNLIKE = 0.5
FEW = 6
TIMES = 2.0
"""Least squares are off by 0.29 steps over the length of the row (a step over the root of 12) as a rule, and
by three times as much now and then; the median that is taken is not as good."""


def wrong_weights(meant: Real, bias: Real, ours: Layer, allowed: Tolerance) -> Iterator[Said]:
    """What is wrong with the constants of `ours`, which ought to be `meant` (O, kh, kw, I) and `bias`
    (O,)."""
    assert ours.weights is not None
    if not np.isfinite(ours.weights).all():
        yield "nan", f"{int((~np.isfinite(ours.weights)).sum())} of its weights are NaN or infinite"
        return
    if _off(ours.weights, meant, ours, allowed):
        yield _cause(meant, ours, allowed)
    elif abs(gain := _gain(ours.weights, meant) - 1) > allowed.gain:
        yield "rescaled", f"its weights are {1 + gain:.4g} times those of the reference"
    if ours.bias is not None and len(ours.bias) == len(bias):
        yield from _wrong_bias(bias, ours, allowed)


def _off(found: Real, meant: Real, ours: Layer, allowed: Tolerance) -> bool:
    apart = np.abs(found - meant) / units(ours, meant)
    beyond = int((apart > allowed.usual).sum())
    return bool((apart > allowed.most).any() or beyond > max(SHARE * apart.size, FEW_BEYOND))


def _gain(found: Real, meant: Real) -> float:
    power = float((meant * meant).sum())
    return float((found * meant).sum()) / power if power else 1.0


def _cause(meant: Real, ours: Layer, allowed: Tolerance) -> Said:
    """The first explanation after which the weights fit."""
    found = ours.weights
    assert found is not None
    for explain in (_order_of_outputs, _order_of_inputs, _turned, _gains, _silent, _bits):
        said = explain(meant, found, ours, allowed)
        if said is not None:
            return said
    sizes = float(np.linalg.norm(found)), float(np.linalg.norm(meant))
    alike = _gain(found / max(sizes[0], 1e-30), meant / max(sizes[1], 1e-30))
    if alike < UNLIKE:
        return "other_weights", "its weights are others altogether: was it made from this model?"
    apart = np.abs(found - meant) / units(ours, meant)
    bound = allowed.most if (apart > allowed.most).any() else allowed.usual
    rows = np.flatnonzero(apart.reshape(len(meant), -1).max(axis=1) > bound)
    unit = "steps of its grid" if ours.step is not None else "of the largest weight"
    return "changed", (
        f"its weights are off by up to {apart.max():.3g} {unit}, in {len(rows)} of {len(meant)} "
        f"output channels"
    )


def _order_of_outputs(meant: Real, found: Real, ours: Layer, allowed: Tolerance) -> Said | None:
    order = _matches(found.reshape(len(found), -1), meant.reshape(len(meant), -1))
    if order is None or _off(found, meant[order], ours, allowed):
        return None
    moved = np.flatnonzero(order != np.arange(len(order)))
    return "output_channels", f"its output channels {_list(moved)} are in another order"


def _order_of_inputs(meant: Real, found: Real, ours: Layer, allowed: Tolerance) -> Said | None:
    size = meant.shape[3]
    order = _matches(np.moveaxis(found, 3, 0).reshape(size, -1), np.moveaxis(meant, 3, 0).reshape(size, -1))
    if order is None or _off(found, meant[..., order], ours, allowed):
        return None
    moved = np.flatnonzero(order != np.arange(len(order)))
    return "input_channels", f"its input channels {_list(moved)} are in another order (RGB and BGR?)"


def _matches(found: Real, meant: Real) -> NDArray[np.intp] | None:
    """The row of `meant` that each row of `found` is most alike; None where that is no reordering."""
    if len(found) < 2:
        return None
    a = found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-30)
    b = meant / np.maximum(np.linalg.norm(meant, axis=1, keepdims=True), 1e-30)
    order = (a @ b.T).argmax(axis=1)
    same = len(set(order.tolist())) == len(order)
    return order if same and (order != np.arange(len(order))).any() else None


def _turned(meant: Real, found: Real, ours: Layer, allowed: Tolerance) -> Said | None:
    ways: dict[str, Callable[[Real], Real]] = {
        "transposed (height and width exchanged)": lambda w: w.swapaxes(1, 2),
        "flipped upside down": lambda w: w[:, ::-1],
        "flipped left to right": lambda w: w[:, :, ::-1],
        "turned by 180 degrees": lambda w: w[:, ::-1, ::-1],
        "transposed (inputs and outputs exchanged)": lambda w: w.swapaxes(0, 3),
    }
    for name, turn in ways.items():
        turned = turn(meant)
        if turned.shape == found.shape and not _off(found, turned, ours, allowed):
            return "turned", f"its kernel is {name}"
    return None


def _gains(meant: Real, found: Real, ours: Layer, allowed: Tolerance) -> Said | None:
    whole = _gain(found, meant)
    if not _off(found, whole * meant, ours, allowed):
        return "rescaled", f"its weights are {whole:.4g} times those of the reference"
    rows = [_gain(f, m) for f, m in zip(found, meant, strict=True)]
    each = np.array(rows).reshape(-1, 1, 1, 1)
    if _off(found, each * meant, ours, allowed):
        return None
    usual = np.abs(each.ravel() - 1) > 4 * allowed.gain
    if (zero := np.flatnonzero(np.abs(each.ravel()) < 1e-6)).size:
        return "stuck", f"its output channels {_list(zero)} have no weights: they always give the same"
    if not usual.any():
        return None
    if usual.sum() <= max(1, len(meant) // 4):
        return "rescaled", f"the weights of its output channels {_list(np.flatnonzero(usual))} are rescaled"
    return "channel_scales", (
        f"each output channel is scaled by a factor of its own ({each.min():.3g} to "
        f"{each.max():.3g}): a batch "
        "normalization that was folded twice or not at all, or wrong scales per channel"
    )


def _silent(meant: Real, found: Real, ours: Layer, allowed: Tolerance) -> Said | None:
    zero = ~np.abs(found).reshape(len(found), -1).any(axis=1)
    zero &= np.abs(meant).reshape(len(meant), -1).any(axis=1)
    rest = np.where(zero.reshape(-1, 1, 1, 1), 0, meant)
    if not zero.any() or _off(found, rest, ours, allowed):
        return None
    return (
        "stuck",
        f"its output channels {_list(np.flatnonzero(zero))} have no weights: they always give the same",
    )


def _bits(meant: Real, found: Real, ours: Layer, allowed: Tolerance) -> Said | None:
    """Fewer levels than the dtype has: as many as there are in the largest channel."""
    stored = ours.stored if ours.stored is not None else found
    levels = max(len(np.unique(row)) for row in stored.reshape(len(stored), -1))
    size = found[0].size
    if levels >= min(size, 64) // 2 or _gain(found, meant) < UNLIKE:
        return None
    return "few_levels", f"its weights have {levels} levels in each channel: they were cut to too few bits"


def _wrong_bias(meant: Real, ours: Layer, allowed: Tolerance) -> Iterator[Said]:
    assert ours.bias is not None
    if not np.isfinite(ours.bias).all():
        yield "nan", "some of its biases are NaN or infinite"
        return
    unit = bias_units(ours, meant)
    apart = (ours.bias - meant) / unit
    rounded = (ours.vector_step + np.abs(meant) * _uncertain(ours)) / unit
    wrong = np.flatnonzero(np.abs(apart) > allowed.bias + rounded)
    if not wrong.size:
        return
    if not ours.bias.any():
        yield "bias_dropped", "its bias is missing"
    elif len(wrong) == len(meant) and np.ptp(apart) < max(2 * allowed.bias, 0.02 * np.abs(apart).max()):
        yield "bias_shifted", f"its bias is shifted by {float(np.mean(apart)) * unit:.4g}"
    elif not ours.bias[wrong].any():
        yield "bias_dropped", f"the biases of its output channels {_list(wrong)} are missing"
    else:
        most = float(np.abs(apart).max()) * unit
        yield "bias_changed", f"the biases of its output channels {_list(wrong)} are off, by up to {most:.4g}"


def _uncertain(ours: Layer) -> Real:
    """How far off the factor of each output channel may be that its rounded weights tell (scales.py): few
    weights tell it badly."""
    assert ours.weights is not None
    if ours.step is None:
        return np.zeros(len(ours.weights))
    length = np.linalg.norm(ours.weights.reshape(len(ours.weights), -1), axis=1)
    off: Real = np.minimum(TIMES * ours.step / np.maximum(length, 1e-30), 1)
    return off


def _list(numbers: NDArray[np.intp]) -> str:
    shown = ", ".join(map(str, numbers[:FEW].tolist()))
    return shown if len(numbers) <= FEW else f"{shown} and {len(numbers) - FEW} more"
