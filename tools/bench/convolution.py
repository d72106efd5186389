"""A convolution with bias, forward and backward: what the gradients of its weight and its bias cost.

Once for a first layer, whose images need no gradient, and once for an inner one, whose images do. Everybody's
gradients are first checked against a float64 convolution that is written out tap by tap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bench import verify
from bench.peers.base import Peer
from bench.report import Report, race_rows, summary
from bench.rounds import Effort, Run, race
from bench.workload import SEED, Array, Size

BATCH = 64


@dataclass(frozen=True)
class Layer:
    """A square convolution with stride 1, and zeros around the image so that it keeps its size, or none."""

    inputs: int
    outputs: int
    side: int
    kernel: int
    padded: bool

    @property
    def padding(self) -> int:
        return self.kernel // 2 if self.padded else 0

    def __str__(self) -> str:
        edges = ", padded" if self.padded else ""
        return f"{self.inputs}→{self.outputs}, {self.side}×{self.side}, {self.kernel}×{self.kernel}{edges}"


SHAPES = [(1, 16, 8, 3), (16, 32, 8, 3), (1, 8, 28, 5), (8, 16, 12, 5), (16, 32, 28, 3), (32, 64, 14, 3)]
LAYERS = [Layer(*shape, padded) for padded in (False, True) for shape in SHAPES]
PLACES = {"first": False, "inner": True}  # whether the images need a gradient


@dataclass(frozen=True)
class Work:
    """The arrays of one layer: images, weight, bias, and the cotangent of the result."""

    x: Array
    weight: Array
    bias: Array
    cotangent: Array
    padding: int


def make_work(layer: Layer) -> Work:
    rng = np.random.default_rng(SEED)
    side = layer.side + 2 * layer.padding - layer.kernel + 1
    shapes = [
        (BATCH, layer.inputs, layer.side, layer.side),
        (layer.outputs, layer.inputs, layer.kernel, layer.kernel),
        (layer.outputs,),
        (BATCH, layer.outputs, side, side),
    ]
    return Work(*(rng.standard_normal(shape).astype(np.float32) for shape in shapes), layer.padding)


def referee_gradients(work: Work, images: bool) -> list[Array]:
    """Of weight and bias, and of the images where they are asked for."""
    x, weight, g = (a.astype(np.float64) for a in (work.x, work.weight, work.cotangent))
    p = work.padding
    padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
    of_padded, of_weight = np.zeros_like(padded), np.zeros_like(weight)
    for i, j in np.ndindex(*weight.shape[2:]):
        seen = (..., slice(i, i + g.shape[2]), slice(j, j + g.shape[3]))
        of_weight[:, :, i, j] = np.tensordot(g, padded[seen], axes=((0, 2, 3), (0, 2, 3)))
        of_padded[seen] += np.einsum("nohw,oc->nchw", g, weight[:, :, i, j])
    of_x = of_padded[..., p : p + x.shape[2], p : p + x.shape[3]]
    return [of_weight, g.sum(axis=(0, 2, 3)), *([of_x] if images else [])]


def verified_runs(peers: Mapping[str, Peer], work: Work, images: bool) -> dict[str, Run]:
    """The passes of the peers that have a convolution, found right."""
    expected = referee_gradients(work, images)
    runs: dict[str, Run] = {}
    for key, peer in peers.items():
        run = peer.convolution(work, images)
        if run is not None:
            verify.check_arrays(peer.name, "gradient of a convolution", run(), expected)
            runs[key] = run
    return runs


def run(peers: Mapping[str, Peer], sizes: Sequence[Size], effort: Effort) -> Report:
    """`sizes` are those of networks, and mean nothing here."""
    names = {key: peer.name for key, peer in peers.items()}
    rows, data = [], {}
    for layer in LAYERS:
        for place, images in PLACES.items():
            times = race(verified_runs(peers, make_work(layer), images), effort)
            label = f"{layer}, {place}"
            rows += race_rows(label, times, names)
            data[label] = summary(times)
    return Report(
        title=f"Convolution of {BATCH} images, forward and backward (gradients verified). Below 1: ours is faster.",
        header=["layer", "framework", "time", "ours / peer", "quartiles"],
        rows=rows,
        data=data,
    )
