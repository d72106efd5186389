"""Memory figures of one framework, in a process of its own: `python -m bench.probe steps|chain PEER SIZE`.

`steps`: bytes that training adds to the resident set of the process at its peak. First a tiny network is
trained and verified, so that all code is loaded; the resident set after that is the baseline. Next the
network of the wanted size is built and trained for some steps, in which optimizers create their state and
compilers compile. Then the peak is reset, and what further steps reach above the baseline is the figure:
batch, parameters, gradients, optimizer state, activations and temporaries, however they are allocated, but
neither the libraries nor a compiler's temporary memory. Where the system cannot reset a peak, the figure is
the growth of the lifetime's peak.

`chain`: bytes that NumPy holds after a hundred recorded additions whose last result is kept, and their peak.
"""

import gc
import json
import sys
import tracemalloc
from contextlib import suppress
from pathlib import Path

import numpy as np

from bench import environment, verify
from bench.peers import load
from bench.workload import SIZES, make_problem

WARM_STEPS = 3
STEPS = 5
ADDITIONS = 100
SIDE = 500


def reset_peak() -> None:
    """Start the peak anew from the present, where the system (Linux) offers that."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_resident() -> int:
    """The largest resident set since the last reset, or of the process's life, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def steps(key: str, size: str) -> dict[str, int]:
    peer = load(key)
    tiny = make_problem(SIZES["tiny"])
    verify.check_losses(peer.name, verify.trajectory(peer.training_step(tiny)), verify.referee_losses(tiny))
    gc.collect()
    reset_peak()
    baseline = peak_resident()
    step = peer.training_step(make_problem(SIZES[size]))
    for _ in range(WARM_STEPS):
        step()
    gc.collect()
    reset_peak()
    for _ in range(STEPS):
        step()
    return {"baseline": baseline, "peak": peak_resident() - baseline}


def chain(key: str) -> dict[str, int]:
    peer = load(key)
    array = np.ones((SIDE, SIDE), dtype=np.float32)
    operands = peer.operands(array, array, recording=True)
    assert operands is not None, f"{peer.name} does not record"
    total, term = operands
    tracemalloc.start()
    with peer.recording(True):
        for _ in range(ADDITIONS):
            total = total + term
    held, peak = tracemalloc.get_traced_memory()
    return {"held": held, "peak": peak}


if __name__ == "__main__":
    environment.find_package()
    print(json.dumps(steps(*sys.argv[2:]) if sys.argv[1] == "steps" else chain(*sys.argv[2:])))
