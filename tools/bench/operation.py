"""What one operation costs when there is next to nothing to compute: `a + b` on ten float32 numbers.

Once in the scope in which operations are recorded for differentiation (both operands ask for gradients), and
once in the scope in which they are not. A framework that cannot do one of the two has no row there.
"""

from collections.abc import Mapping, Sequence
from itertools import repeat

import numpy as np

from bench.peers.base import Peer
from bench.report import Report, race_rows, summary
from bench.rounds import Effort, Run, race
from bench.workload import Size

ELEMENTS = 10
ADDITIONS = 1000
MODES = {"recording": True, "not recording": False}


def additions(peer: Peer, recording: bool) -> Run | None:
    """A run of many additions by one peer."""
    a, b = (np.linspace(start, 1, ELEMENTS, dtype=np.float32) for start in (0, 0.5))
    operands = peer.operands(a, b, recording)
    if operands is None:
        return None
    left, right = operands

    def run() -> None:
        with peer.recording(recording):
            for _ in repeat(None, ADDITIONS):
                left + right

    return run


def run(peers: Mapping[str, Peer], sizes: Sequence[Size], effort: Effort) -> Report:
    """`sizes` are those of networks, and mean nothing here."""
    names = {key: peer.name for key, peer in peers.items()}
    rows, data = [], {}
    for label, recording in MODES.items():
        runs = {key: run for key, peer in peers.items() if (run := additions(peer, recording))}
        times = {key: [t / ADDITIONS for t in seconds] for key, seconds in race(runs, effort).items()}
        rows += race_rows(label, times, names)
        data[label] = summary(times)
    return Report(
        title=f"One addition of {ELEMENTS} numbers. Below 1: ours is faster.",
        header=["a + b", "framework", "time", "ours / peer", "quartiles"],
        rows=rows,
        data=data,
    )
