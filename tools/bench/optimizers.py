"""One step of an optimizer on gradients that are there: NumPy's blocks and Numba's loops beside PyTorch's ways.

Twice: on the 2.1 million parameters of the large network, where memory and arithmetic count, and on 20 tensors of 1,000
elements, where the number of calls counts. Everybody's parameters after a few steps are first compared with those of
the same method in float64. What PyTorch does not have is timed alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from bench.peers.base import Peer
from bench.report import NOTHING, Report, duration
from bench.rounds import Effort, Run, Spread, race, ratio
from bench.verify import Disagreement
from bench.workload import SEED, SIZES, Array, Size

STEPS = 3  # before everybody's parameters are compared
TOLERANCE = 1e-4  # of how far they went: the squares of small gradients lose digits
LARGE = SIZES["large"].widths
WORKS: dict[str, list[tuple[int, ...]]] = {
    "2.1 M parameters": [s for n, m in pairwise(LARGE) for s in ((m, n), (m,))],
    "20 × 1,000": [(1000,)] * 20,
}
# Beside every method with its defaults, these. (With Nesterov momentum, PyTorch's foreach writes into the gradients.)
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD, momentum": ("SGD", {"momentum": 0.9}),
    "RMSprop, centered": ("RMSprop", {"centered": True, "momentum": 0.9}),
}
WAYS: dict[str, dict[str, Any]] = {
    "PyTorch": {},
    "PyTorch, foreach": {"foreach": True},
    "PyTorch, fused": {"fused": True},
}
NUMPY, NUMBA = "ours, NumPy", "ours, Numba"


@dataclass
class Contestant:
    """Parameters with gradients, and a step."""

    step: Run
    parameters: Callable[[], list[Array]]


def engines() -> Any:
    """The module that chooses them."""
    from tinygrad_opt.optim import engines

    return engines


def methods() -> dict[str, tuple[str, dict[str, Any]]]:
    """Every first-order method of the package, and the variants."""
    from tinygrad_opt import optim

    classes = [name for name in optim.__all__ if isinstance(getattr(optim, name), type) and name != "Optimizer"]
    found = {name: (name, {}) for name in classes if issubclass(getattr(optim, name), optim.Optimizer)}
    return found | {label: (name, options) for label, (name, options) in VARIANTS.items() if name in found}


def drawn(shapes: Sequence[tuple[int, ...]]) -> tuple[list[Array], list[Array]]:
    """Parameters and gradients."""
    rng = np.random.default_rng(SEED)
    values, gradients = ([rng.standard_normal(s).astype(np.float32) for s in shapes] for _ in range(2))
    return values, gradients


def ours(
    name: str, options: Mapping[str, Any], shapes: Sequence[tuple[int, ...]], numba: bool, dtype: Any
) -> Contestant:
    """Our optimizer, in one engine from the first step on."""
    import tinygrad_opt as tg

    values, gradients = drawn(shapes)
    params = [tg.tensor(v.astype(dtype), requires_grad=True) for v in values]
    optimizer = getattr(tg.optim, name)(params, **options)
    for p, g in zip(params, gradients, strict=True):
        p.grad = tg.tensor(g.astype(dtype))
    kept: dict[Any, Any] = {}
    choice = engines()

    def step() -> None:
        choice._host, choice.PATIENCE = kept, 0 if numba else float("inf")
        optimizer.step()

    return Contestant(step, lambda: [p.detach().numpy() for p in params])


def torchs(name: str, options: Mapping[str, Any], shapes: Sequence[tuple[int, ...]], way: str) -> Contestant | None:
    """PyTorch's optimizer of that name, in one of its ways; None where it has none."""
    import torch

    values, gradients = drawn(shapes)
    params = [torch.tensor(v, requires_grad=True) for v in values]
    try:
        optimizer = getattr(torch.optim, name)(params, **options, **WAYS[way])
    except (AttributeError, TypeError, RuntimeError):
        return None
    for p, g in zip(params, gradients, strict=True):
        p.grad = torch.tensor(g)
    return Contestant(optimizer.step, lambda: [p.detach().numpy() for p in params])


def contestants(
    name: str, options: Mapping[str, Any], shapes: Sequence[tuple[int, ...]], peers: Mapping[str, Peer]
) -> dict[str, Contestant]:
    """Everybody who has the method."""
    from tinygrad_opt.optim import compiled

    found: dict[str, Contestant | None] = {NUMPY: ours(name, options, shapes, False, "float32")}
    if compiled.is_installed():
        found[NUMBA] = ours(name, options, shapes, True, "float32")
    if "torch" in peers:
        found |= {way: torchs(name, options, shapes, way) for way in WAYS}
    return {key: contestant for key, contestant in found.items() if contestant is not None}


def verify(everybody: Mapping[str, Contestant], referee: Contestant, start: Sequence[Array]) -> None:
    """Let everybody take a few steps, and refuse who ends elsewhere than the referee."""
    for _ in range(STEPS):
        referee.step()
    expected = referee.parameters()
    way = np.sqrt(sum(float(np.sum((e - s) ** 2)) for e, s in zip(expected, start, strict=True)))
    for key, contestant in everybody.items():
        for _ in range(STEPS):
            contestant.step()
        error = np.sqrt(
            sum(float(np.sum((a - e) ** 2)) for a, e in zip(contestant.parameters(), expected, strict=True))
        )
        size = np.sqrt(sum(float(np.sum(e**2)) for e in expected))
        if not error <= TOLERANCE * way + 1e-6 * size:
            raise Disagreement(f"{key}: parameters are {error:.2g} off after going {way:.2g}")


def rows_for(label: str, times: Mapping[str, Sequence[float]]) -> list[list[str]]:
    """A row for each contestant, with what each of our engines takes relative to it."""
    rows = []
    for i, (key, seconds) in enumerate(times.items()):
        spreads = [
            f"{ratio(times[own], seconds).median:.2f}" if own in times and own != key else NOTHING
            for own in (NUMPY, NUMBA)
        ]
        rows.append([label if i == 0 else "", key, duration(Spread.of(seconds).median), *spreads])
    return rows


def figures(times: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Every round's seconds, and the ratios of our engines to each."""
    return {
        key: {
            "seconds": list(seconds),
            **{f"{own} / this": asdict(ratio(times[own], seconds)) for own in (NUMPY, NUMBA) if own in times},
        }
        for key, seconds in times.items()
    }


def run(peers: Mapping[str, Peer], sizes: Sequence[Size], effort: Effort) -> Report:
    """`sizes` are those of networks, and mean nothing here."""
    rows, data = [], {}
    for work, shapes in WORKS.items():
        data[work] = {}
        for label, (name, options) in methods().items():
            everybody = contestants(name, options, shapes, peers)
            try:
                verify(everybody, ours(name, options, shapes, False, "float64"), drawn(shapes)[0])
            except Disagreement as error:
                raise Disagreement(f"{label}, {work}: {error}") from None
            times = race({key: contestant.step for key, contestant in everybody.items()}, effort)
            rows += rows_for(f"{label}, {work}", times)
            data[work][label] = figures(times)
    return Report(
        title="One step of an optimizer (parameters verified). Below 1: ours is faster.",
        header=["optimizer", "who", "time", "NumPy / it", "Numba / it"],
        rows=rows,
        data=data,
    )
