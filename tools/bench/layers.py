"""Layers and small networks, forward and backward, beside PyTorch's, on the same weights.

Each entry of the table is written once, for both: a function that makes a module from a namespace, `tg.nn` or
`torch.nn`, and the shapes that it is called with. The gradients of both are first checked against those of PyTorch's
module in float64: strictly in float64, and loosely in the float32 that is timed, where an element that lies next to a
kink, or two that are nearly the largest, may fall to the other side and move the gradient by a thousandth.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench import verify
from bench.peers import OURS
from bench.peers.base import Peer
from bench.report import Report, race_rows, summary
from bench.rounds import Effort, Run, race
from bench.workload import SEED, Array, Size

BATCH = 64
SEQUENCE = (28, 32, 28)  # steps, batch, inputs
ACROSS_KINKS = 1e-2  # of the length of the gradient


@dataclass(frozen=True)
class Entry:
    """A module, made from a namespace `nn`, and the shapes of its inputs; `images`: they need gradients too.

    Where `symbols` is not 0, inputs are whole numbers from 0 up to, but without, it. What is `random` is not compared.
    """

    make: Callable[[Any], Any]
    shapes: Sequence[tuple[int, ...]]
    images: bool = False
    symbols: int = 0
    random: bool = False


def self_attention(nn: Any, need_weights: bool) -> Any:
    class SelfAttention(nn.Module):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.attention = nn.MultiheadAttention(64, 4, batch_first=True)

        def forward(self, x: Any) -> Any:
            return self.attention(x, x, x, need_weights=need_weights)[0]

    return SelfAttention()


def lenet(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10),
    )  # fmt: skip


def batch_norm_mlp(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10))


ENTRIES = {
    "LeNet, 28×28": Entry(lenet, [(BATCH, 1, 28, 28)]),
    "BatchNorm1d, 256×512": Entry(lambda nn: nn.BatchNorm1d(512), [(256, 512)], images=True),
    "BatchNorm2d, 64×16×14×14": Entry(lambda nn: nn.BatchNorm2d(16), [(BATCH, 16, 14, 14)], images=True),
    "GroupNorm, 64×16×14×14": Entry(lambda nn: nn.GroupNorm(4, 16), [(BATCH, 16, 14, 14)], images=True),
    "InstanceNorm2d, 64×16×14×14": Entry(
        lambda nn: nn.InstanceNorm2d(16, affine=True), [(BATCH, 16, 14, 14)], images=True
    ),
    "LayerNorm, 256×512": Entry(lambda nn: nn.LayerNorm(512), [(256, 512)], images=True),
    "RMSNorm, 256×512": Entry(lambda nn: nn.RMSNorm(512), [(256, 512)], images=True),
    "batch-norm MLP, 64×64": Entry(batch_norm_mlp, [(BATCH, 64)]),
    "self attention, 16×32×64, 4 heads": Entry(lambda nn: self_attention(nn, False), [(16, 32, 64)], images=True),
    "the same, with its weights": Entry(lambda nn: self_attention(nn, True), [(16, 32, 64)], images=True),
    "embedding, 10000×64, 4096 symbols": Entry(lambda nn: nn.Embedding(10_000, 64), [(4096,)], symbols=10_000),
    "dropout, 256×512": Entry(lambda nn: nn.Dropout(), [(256, 512)], images=True, random=True),
    "GELU, 256×512": Entry(lambda nn: nn.GELU(), [(256, 512)], images=True),
    "SiLU, 256×512": Entry(lambda nn: nn.SiLU(), [(256, 512)], images=True),
    "GRU, 28 steps, 28→64": Entry(lambda nn: nn.GRU(28, 64), [SEQUENCE], images=True),
    "LSTM, 28 steps, 28→64": Entry(lambda nn: nn.LSTM(28, 64), [SEQUENCE], images=True),
    "LSTM, both ways": Entry(lambda nn: nn.LSTM(28, 64, bidirectional=True), [SEQUENCE], images=True),
    "LSTM, two layers": Entry(lambda nn: nn.LSTM(28, 64, num_layers=2), [SEQUENCE], images=True),
    "RNN, 28 steps, 28→64": Entry(lambda nn: nn.RNN(28, 64), [SEQUENCE], images=True),
}


def values(entry: Entry, state: Mapping[str, Any]) -> tuple[dict[str, Array], list[Array]]:
    """Weights and buffers (all positive, for some are variances) and inputs, float32."""
    rng = np.random.default_rng(SEED)
    weights = {}
    for name, part in state.items():
        fan_in = max(1, int(np.prod(part.shape[1:])))
        drawn = rng.uniform(0.5, 1.5, part.shape) if len(part.shape) < 2 else rng.standard_normal(part.shape)
        weights[name] = (drawn / fan_in**0.5).astype(part.numpy().dtype)
    if entry.symbols:
        return weights, [rng.integers(0, entry.symbols, shape) for shape in entry.shapes]
    return weights, [rng.standard_normal(shape).astype(np.float32) for shape in entry.shapes]


def in_dtype(value: Array, dtype: str) -> Array:
    """Floating numbers in that dtype; counters stay whole."""
    return value.astype(dtype) if value.dtype.kind == "f" else value


def first(outputs: Any) -> Any:
    """The output itself, of those that return more."""
    return outputs[0] if isinstance(outputs, tuple) else outputs


def passes(entry: Entry, library: Any, dtype: str = "float32") -> Callable[[], Sequence[Any]]:
    """One pass in `tinygrad_opt` or `torch`: the gradients of the sum of squares of the output."""
    import torch

    weights, inputs = values(entry, entry.make(torch.nn).state_dict())
    model = entry.make(library.nn).to(getattr(library, dtype))
    model.load_state_dict({name: library.tensor(in_dtype(value, dtype)) for name, value in weights.items()})
    options = {} if entry.symbols else {"dtype": getattr(library, dtype), "requires_grad": entry.images}
    xs = [library.tensor(x, **options) for x in inputs]
    leaves = [*model.parameters(), *(xs if entry.images else [])]

    def run() -> list[Any]:
        for leaf in leaves:
            leaf.grad = None
        y = first(model(*xs))
        (y * y).sum().backward()
        return [leaf.grad for leaf in leaves]

    return run


def verified_runs(entry: Entry, peers: Mapping[str, Peer]) -> dict[str, Run]:
    """The passes of both, where both are there, found right."""
    import tinygrad_opt as tg

    try:
        import torch
    except ImportError:
        return {}
    expected = [g.numpy() for g in passes(entry, torch, "float64")()]
    libraries = {OURS: tg, "torch": torch}
    runs: dict[str, Run] = {}
    for key in (key for key in libraries if key in peers):
        name, what = peers[key].name, "gradient of a layer"
        if not entry.random:
            verify.check_arrays(name, what, passes(entry, libraries[key], "float64")(), expected)
        runs[key] = passes(entry, libraries[key])
        if not entry.random:
            verify.check_arrays(name, what, runs[key](), expected, ACROSS_KINKS)
    return runs


def run(peers: Mapping[str, Peer], sizes: Sequence[Size], effort: Effort) -> Report:
    """`sizes` are those of other measurements, and mean nothing here."""
    names = {key: peer.name for key, peer in peers.items()}
    rows, data = [], {}
    for label, entry in ENTRIES.items():
        times = race(verified_runs(entry, peers), effort)
        rows += race_rows(label, times, names)
        data[label] = summary(times)
    return Report(
        title="Layers, forward and backward (gradients verified). Below 1: ours is faster.",
        header=["layer", "framework", "time", "ours / peer", "quartiles"],
        rows=rows,
        data=data,
    )
