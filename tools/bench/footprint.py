"""How much memory training takes, and what a recorded expression holds on to; `probe` says what is counted.

Each figure comes from a fresh process, so that nobody is helped or charged by memory which another framework
had freed. Training is measured at the largest of the chosen sizes only, for small networks vanish beside the
granularity of the allocators, and in two ways. "live": the C library hands every large block that is freed
straight back to the system (glibc can be told to), so the peak is what a step truly needs, and is the same in
every run. "resident": the allocator as it comes, which keeps freed blocks in reserve, how many depending on
chance; the median of several processes.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import util
from pathlib import Path

import numpy as np

from bench.peers import OURS
from bench.peers.base import Peer
from bench.probe import ADDITIONS, SIDE
from bench.report import NOTHING, Report, memory
from bench.rounds import QUICK, Effort
from bench.workload import Size

TOOLS = Path(__file__).resolve().parent.parent

# Make glibc map every large block by itself and unmap it when it is freed; by default it learns to keep them.
NO_SLACK = {"MALLOC_MMAP_THRESHOLD_": "131072", "MALLOC_TRIM_THRESHOLD_": "131072"}


def probe(*arguments: str, settings: Mapping[str, str] | None = None) -> dict[str, int]:
    """Run one probe in a process of its own, with additional settings in its environment."""
    command = [sys.executable, "-m", "bench.probe", *arguments]
    environment = os.environ | (settings or {})
    result = subprocess.run(command, cwd=TOOLS, env=environment, capture_output=True, text=True)
    if result.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: {result.stderr.strip()}")
    found: dict[str, int] = json.loads(result.stdout)
    return found


def training_peaks(keys: Iterable[str], size: Size, repetitions: int) -> dict[str, dict[str, float]]:
    """Peaks of training by kind, "live" and "resident", and by peer."""
    live, resident = {}, {}
    for key in keys:
        live[key] = float(probe("steps", key, size.name, settings=NO_SLACK)["peak"])
        resident[key] = statistics.median(probe("steps", key, size.name)["peak"] for _ in range(repetitions))
    return {"live": live, "resident": resident}


def recorders(peers: Mapping[str, Peer]) -> list[str]:
    """The peers whose recorded arrays tracemalloc can see."""
    one = np.ones(1, dtype=np.float32)
    return [key for key, peer in peers.items() if peer.allocates_with_numpy and peer.operands(one, one, True)]


def rows_for(label: str, found: Mapping[str, float], peers: Mapping[str, Peer]) -> list[list[str]]:
    """One row for each peer; the ratio is ours over the peer's, if that is more than nothing."""
    rows: list[list[str]] = []
    for key, size in found.items():
        compared = f"{found[OURS] / size:.2f}" if OURS in found and key != OURS and size else NOTHING
        rows.append([label if not rows else "", peers[key].name, memory(size), compared])
    return rows


def run(peers: Mapping[str, Peer], sizes: Sequence[Size], effort: Effort) -> Report:
    rows: list[list[str]] = []
    data: dict[str, Mapping[str, object]] = {}
    if util.find_spec("resource"):
        largest = max(sizes, key=lambda size: size.batch * sum(size.widths))
        peaks = training_peaks(peers, largest, repetitions=1 if effort is QUICK else 5)
        for kind, found in peaks.items():
            rows += rows_for(f"training {largest}, {kind}", found, peers)
        data["training"] = {"size": largest.name, **peaks}
    chains = {key: probe("chain", key) for key in recorders(peers)}
    for what in ("held", "peak"):
        found = {key: chain[what] for key, chain in chains.items()}
        rows += rows_for(f"{ADDITIONS} additions of {SIDE}×{SIDE}, {what}", found, peers)
    data["chain"] = chains
    return Report(
        title="Memory: peak of training, and bytes behind a recorded sum. Below 1: ours is less.",
        header=["what", "framework", "memory", "ours / peer"],
        rows=rows,
        data=data,
    )
