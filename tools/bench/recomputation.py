"""What recomputing saves and costs: a gradient step of 64 tanh layers, in full and with `tg.checkpoint`.

A step records the loss and takes its gradient by all parameters. Its peak is what tracemalloc counts (NumPy reports
every array to it) above what was there before, the gradients that the step returns included. Batches are much larger
than layers are wide, so that activations, which can be recomputed, outweigh gradients, which cannot. Each way of
checkpointing must first give gradients that are those of the plain step, bit for bit.

- "blocks of 8": eight checkpoints of eight layers each.
- "nested": four checkpoints of sixteen layers, each made of four checkpoints of four.
"""

import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from bench import verify
from bench.peers import OURS
from bench.peers.base import Peer
from bench.report import NOTHING, Report, duration, memory
from bench.rounds import Effort, Run, Spread, race, ratio
from bench.workload import SEED, Size

LAYERS, WIDTH, BATCH = 64, 128, 4096
WAYS = {"plain": (), "blocks of 8": (8,), "nested": (16, 4)}

Step = Callable[[], Sequence[Any]]


def steps(layers: int, width: int, batch: int) -> dict[str, Step]:
    """A gradient step for each way of checkpointing, all on the same network and batch."""
    import tinygrad_opt as tg

    rng = np.random.default_rng(SEED)
    x = tg.tensor(rng.standard_normal((batch, width)).astype(np.float32))
    weights = [
        tg.tensor((rng.standard_normal((width, width)) / width**0.5).astype(np.float32), requires_grad=True)
        for _ in range(layers)
    ]

    def network(ws: Sequence[Any], x: Any, blocks: tuple[int, ...]) -> Any:
        if not blocks:
            for w in ws:
                x = tg.tanh(x @ w)
            return x
        size, *inner = blocks
        for i in range(0, len(ws), size):
            x = tg.checkpoint(network, ws[i : i + size], x, tuple(inner))
        return x

    def step(blocks: tuple[int, ...]) -> Sequence[Any]:
        loss = tg.square(network(weights, x, blocks)).mean()
        return [g.data for g in tg.gradients(loss, weights)]

    return {way: lambda blocks=blocks: step(blocks) for way, blocks in WAYS.items()}


def peak(step: Run) -> int:
    """Bytes that a step adds at its peak."""
    tracemalloc.start()
    try:
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def check(found: Mapping[str, Step]) -> None:
    """See that all ways give the same gradients, bit for bit."""
    expected = found["plain"]()
    for way, step in found.items():
        if any(a.tobytes() != b.tobytes() for a, b in zip(step(), expected, strict=True)):
            raise verify.Disagreement(f"checkpointed ({way}), the gradients are other ones")


def run(peers: Mapping[str, Peer], sizes: Sequence[Size], effort: Effort) -> Report:
    """`sizes` are those of other measurements, and mean nothing here."""
    rows, data = [], {}
    if OURS in peers:
        found = steps(LAYERS, WIDTH, BATCH)
        check(found)
        peaks = {way: peak(step) for way, step in found.items()}
        times = race(found, effort)
        for way, size in peaks.items():
            saved = f"{peaks['plain'] / size:.2f}" if way != "plain" else NOTHING
            slower = f"{ratio(times[way], times['plain']).median:.2f}" if way != "plain" else NOTHING
            label = f"{LAYERS} layers of {WIDTH}, batch {BATCH}" if way == "plain" else ""
            rows.append([label, way, memory(size), saved, duration(Spread.of(times[way]).median), slower])
        data = {"peaks": peaks, "seconds": times}
    return Report(
        title="Recomputation (gradients verified, the same bit for bit): peak and time of a step.",
        header=["network", "checkpoints", "peak", "plain / this", "time", "this / plain"],
        rows=rows,
        data=data,
    )
