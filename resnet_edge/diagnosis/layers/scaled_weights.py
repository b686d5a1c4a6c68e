"""What an artifact's weights say of the factors that its channels were multiplied by.

Equalization shows in weights alone: a channel that is multiplied where it is made is divided wherever it is
read. Weights are off from that by their rounding only, so that they tell the factors of a tensor far better
than its activations do, and a scale that is wrong in one place is no factor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from resnet_edge.diagnosis.layers.departures import T
from resnet_edge.diagnosis.layers.links import Link
from resnet_edge.diagnosis.layers.rounding import SINGLE
from resnet_edge.diagnosis.layers.steps import Constant, Real, Weights

WHOLE_STEP = 12.0
"""Times the variance of rounding to the nearest: weights that are rounded together go to either side."""


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Factors (C,) of a tensor's channels, and by what share of themselves (C,) they may be off: infinite
    where nothing tells."""

    factors: Real
    share: Real

    @property
    def none(self) -> bool:
        """Whether nothing need be scaled."""
        return bool((np.abs(self.factors - 1) <= self.share * self.factors).all())


def shown_scales(
    links: Iterable[Link], groups: list[list[int]], ratios: Mapping[int, Real]
) -> dict[int, Scale]:
    """By tensor, of those `groups` (whose tensors share their factors) whose weights show them where channels
    are made, and where they are read; ones where nothing need be scaled. Tensors of no group have none.
    `ratios` (C,) are by how much larger than the reference's the tensors look."""
    held = [link for link in links if link.alone and link.weights[0].groups == 1]
    sought = _Sought(held, groups)
    for strict in (False, False, False):
        sought.turn(strict)
    sought.anchor(ratios)
    for strict in (True, True):
        sought.turn(strict)
    return {tensor: scale for tensor, scale in sought.scales.items() if tensor in sought.both}


class _Sought:
    """What is known after some turns, and of which tensors from both sides."""

    def __init__(self, links: list[Link], groups: list[list[int]]) -> None:
        self.links, self.groups = links, groups
        self.free = {tensor for group in groups for tensor in group}
        self.scales: dict[int, Scale] = {}
        self.both: set[int] = set()

    def turn(self, strict: bool) -> None:
        """Each group from what is known of the others; `strict`: but for weights that are none such, which
        can be told once factors are about right. Where that is nothing, the one with most layers around
        it is taken as it is: weights tell what tensors are scaled by, each in comparison with the next."""
        for group in self.groups:
            self._look(group, strict)
        while rest := [group for group in self.groups if self._around(group) and group[0] not in self.scales]:
            most = max(rest, key=lambda group: len(self._around(group)))
            ones = np.ones(self._channels(most))
            self.scales |= dict.fromkeys(most, Scale(factors=ones, share=np.zeros_like(ones)))
            for group in rest:
                if group is not most:
                    self._look(group, strict)

    def anchor(self, ratios: Mapping[int, Real]) -> None:
        """Weights tell factors in comparison with the next tensor's. Where none of those is known for sure,
        one number is open for all: the median of what the tensors look like."""
        for part in self._parts():
            known = [tensor for tensor in part if tensor in self.scales]
            if known and not any(self._anchors(link, part) for link in self.links):
                shares = [ratios[tensor] / self.scales[tensor].factors for tensor in known]
                by = float(np.median(np.concatenate(shares)))
                for tensor in known:
                    one = self.scales[tensor]
                    self.scales[tensor] = _ones_if_none(replace(one, factors=one.factors * by))

    def _anchors(self, link: Link, part: set[int]) -> bool:
        inside = [tensor in part for tensor in (link.gives, link.reads)]
        return any(inside) and not all(tensor in self.free for tensor in (link.gives, link.reads))

    def _parts(self) -> list[set[int]]:
        """Tensors that links join, and groups."""
        parts: list[set[int]] = []
        joined = [{i for i in (link.gives, link.reads) if i in self.free} for link in self.links]
        whole = [set(group) for group in self.groups]
        for more in [*whole, *(each for each in joined if each)]:
            touched = [part for part in parts if part & more]
            parts = [part for part in parts if not part & more] + [more.union(*touched)]
        return parts

    def _look(self, group: list[int], strict: bool) -> None:
        makers = [link for link in self.links if link.gives in group and self._known(link.reads)]
        readers = [link for link in self.links if link.reads in group and self._known(link.gives)]
        if makers or readers:
            given = [_given(link, self.scales, strict) for link in makers]
            biases = [_bias(link, kernel) for link, kernel in zip(makers, given, strict=True)]
            read = [_read(link, self.scales, strict) for link in readers]
            self.scales |= dict.fromkeys(group, _together([*given, *read], biases))
        if makers and readers:
            self.both.update(group)

    def _known(self, tensor: int | None) -> bool:
        """Whether its factors are: the image and tensors that are not free have none."""
        return tensor is None or tensor not in self.free or tensor in self.scales

    def _around(self, group: list[int]) -> list[Link]:
        return [link for link in self.links if link.gives in group or link.reads in group]

    def _channels(self, group: list[int]) -> int:
        link = self._around(group)[0]
        return link.shape[0] if link.gives in group else link.shape[3]


def factors_of(scales: Mapping[int, Scale], tensor: int | None, channels: int) -> Real:
    """Ones for the image, and for what is not scaled."""
    return np.ones(channels) if tensor is None or tensor not in scales else scales[tensor].factors


def _given(link: Link, scales: Mapping[int, Scale], strict: bool) -> Scale:
    """Of the channels that a layer gives, by its kernel."""
    theirs, ours = link.weights
    return _fitted(theirs.kernel / factors_of(scales, link.reads, link.shape[3]), ours, (1, 2, 3), strict)


def _bias(link: Link, kernel: Scale) -> Scale:
    """The same by its bias, where both sides have one, and the kernel tells anything. A repair may have
    changed it by more than it rounds."""
    theirs, ours = link.weights
    bias = np.full_like(kernel.factors, np.nan)
    if theirs.bias is not None and ours.bias is not None:
        with np.errstate(all="ignore"):
            bias = _full(ours.bias, link) / _full(theirs.bias, link)
    tells = np.isfinite(kernel.share) & np.isfinite(bias) & (bias > 0)
    return Scale(factors=np.where(tells, bias, 1.0), share=np.where(tells, kernel.share, np.inf))


def _full(bias: Constant, link: Link) -> Real:
    return np.broadcast_to(bias.values.ravel(), link.shape[:1])


def _read(link: Link, scales: Mapping[int, Scale], strict: bool) -> Scale:
    """Of the channels that a layer reads, which it divides by their factors."""
    given = factors_of(scales, link.gives, link.shape[0]).reshape(-1, 1, 1, 1)
    theirs, ours = link.weights
    inverse = _fitted(theirs.kernel * given, ours, (0, 1, 2), strict)
    return Scale(factors=1 / inverse.factors, share=inverse.share)


def _fitted(kernel: Real, ours: Weights, axes: tuple[int, ...], strict: bool) -> Scale:
    """By what our weights are the kernel, in the least squares over `axes`; where that leaves more than
    rounding does, they are no such weights, and tell nothing if `strict`."""
    power = np.square(kernel).sum(axis=axes)
    products = (kernel * ours.kernel).sum(axis=axes)
    variance = WHOLE_STEP * np.broadcast_to(ours.variance, kernel.shape)
    with np.errstate(all="ignore"):
        factors = products / power
        share = SINGLE + np.sqrt(2 * T * (np.square(kernel) * variance).sum(axis=axes)) / products
        left = np.square(ours.kernel).sum(axis=axes) - products * factors
        rounded = left <= variance.sum(axis=axes) + SINGLE**2 * products * factors
    tells = (products > 0) & (share < 1) & (rounded | (not strict))
    return Scale(factors=np.where(tells, factors, 1.0), share=np.where(tells, share, np.inf))


def same_weights(theirs: Weights, ours: Weights) -> bool:
    """Whether kernels are alike but for rounding."""
    variance = WHOLE_STEP * np.broadcast_to(ours.variance, ours.kernel.shape)
    allowed = float(variance.sum()) + SINGLE**2 * float(np.square(theirs.kernel).sum())
    return float(np.square(ours.kernel - theirs.kernel).sum()) <= allowed


def _together(kernels: list[Scale], biases: list[Scale]) -> Scale:
    """The median of those kernels that tell, which one that is wrong does not move, and with two of them or
    more also of biases: a bias that a repair has changed never takes it past the nearest kernel. All ones
    where that may be."""
    factors, shares = _factors_and_shares(kernels)
    several = np.isfinite(shares).sum(axis=0) > 1
    nothing = np.isnan(shares).all(axis=0)
    factors[:, nothing], shares[:, nothing] = 1.0, np.inf
    share, middle = np.nanmax(shares, axis=0), np.nanmedian(factors, axis=0)
    if biases:
        every = np.concatenate([factors, _factors_and_shares(biases)[0]])
        middle = np.where(several, np.nanmedian(every, axis=0), middle)
    return _ones_if_none(Scale(factors=middle, share=share))


def _ones_if_none(scale: Scale) -> Scale:
    if not scale.none:
        return scale
    return Scale(factors=np.ones_like(scale.factors), share=np.zeros_like(scale.share))


def _factors_and_shares(scales: list[Scale]) -> tuple[Real, Real]:
    """Factors and shares (N, C), not a number where nothing is known."""
    shares = np.array([np.where(np.isfinite(one.share), one.share, np.nan) for one in scales])
    factors = np.array([one.factors for one in scales])
    return np.where(np.isnan(shares), np.nan, factors), shares
