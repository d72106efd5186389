"""What a whole Hessian costs: of the loss of a network of a thousand parameters, one thread.

Ours is set beside the same number of Hessian-vector products through one linearization of the gradient, which is the
same sweeps without the matrix, and beside what the peers offer: PyTorch runs all sweeps at once, batched by `vmap`. The
matrices are first checked: times a random direction, each must be the central difference of the hand-written float64
gradient.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bench import verify
from bench.hvp import direction_for
from bench.peers import OURS
from bench.peers.base import Peer
from bench.report import NOTHING, Report, against, duration, ratio_cells, summary
from bench.rounds import Effort, Run, Spread, race, ratio
from bench.workload import Array, Problem, Size, make_problem

NETWORK = Size("hessian", 32, (20, 25, 15, 5))


def product_with(blocks: Sequence[Sequence[Array]], direction: Sequence[Array]) -> list[Array]:
    """A Hessian in blocks, times a vector in blocks."""
    return [
        sum(np.tensordot(np.asarray(block), d, axes=d.ndim) for block, d in zip(row, direction, strict=True))
        for row in blocks
    ]


def verified_hessians(peers: Mapping[str, Peer], problem: Problem) -> dict[str, Run]:
    """The Hessians of the peers that have them, found right."""
    direction = direction_for(problem)
    expected = verify.referee_product(problem, direction)
    found = {}
    for key, peer in peers.items():
        run = peer.hessian(problem)
        if run is not None:
            verify.check_arrays(peer.name, "Hessian", product_with(run(), direction), expected)
            found[key] = run
    return found


def products_one_by_one(peer: Peer, problem: Problem) -> Run | None:
    """As many Hessian-vector products as there are parameters, through one recorded gradient."""
    functions = peer.second_order(problem, direction_for(problem))
    if functions is None:
        return None
    count = sum(p.size for p in problem.parameters)

    def run() -> None:
        for _ in range(count):
            functions.product()

    return run


def run(peers: Mapping[str, Peer], sizes: Sequence[Size], effort: Effort) -> Report:
    """`sizes` are those of other measurements, and mean nothing here."""
    problem = make_problem(NETWORK)
    runs: dict[tuple[str, str], Run] = {("hessian", key): r for key, r in verified_hessians(peers, problem).items()}
    products = products_one_by_one(peers[OURS], problem) if OURS in peers else None
    if products is not None:
        runs["products", OURS] = products
    times = race(runs, effort)
    hessians = {key: seconds for (what, key), seconds in times.items() if what == "hessian"}
    rows = []
    for key, seconds in hessians.items():
        beside = times.get(("products", key))
        in_products = f"{ratio(seconds, beside).median:.2f}" if beside else NOTHING
        rows.append(
            [
                str(NETWORK) if not rows else "",
                peers[key].name,
                duration(Spread.of(seconds).median),
                in_products,
                *ratio_cells(against(hessians, key)),
            ]
        )
    count = sum(p.size for p in problem.parameters)
    return Report(
        title=f"Hessian by {count} parameters (verified), its cost in {count} products, and ours / peer.",
        header=["network", "framework", "time", "in products", "ours / peer", "quartiles"],
        rows=rows,
        data={"hessian": summary(hessians), "products": list(times.get(("products", OURS), []))},
    )
