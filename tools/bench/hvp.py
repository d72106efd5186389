"""What a Hessian-vector product costs beside a gradient.

The gradient is computed from scratch: record the loss, walk back. For the product, frameworks that can record
the gradient once do so beforehand, and are timed on the sweep that each further vector costs, which is what
an iteration of conjugate gradients or Lanczos pays; JAX runs its compiled forward-over-reverse derivative.
Gradients and products are first checked against a hand-written float64 gradient and its central differences.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bench import verify
from bench.peers.base import Peer
from bench.report import Report, against, duration, ratio_cells, summary
from bench.rounds import Effort, Run, Spread, race, ratio
from bench.workload import SEED, Array, Problem, Size, make_problem

Times = dict[str, list[float]]


def direction_for(problem: Problem) -> list[Array]:
    rng = np.random.default_rng(SEED + 1)
    return [rng.standard_normal(p.shape).astype(p.dtype) for p in problem.parameters]


def verified_runs(peers: Mapping[str, Peer], problem: Problem) -> tuple[dict[str, Run], dict[str, Run]]:
    """The gradients and the products of the peers that have both, found right."""
    direction = direction_for(problem)
    expected_gradient = verify.referee_gradient(problem)
    expected_product = verify.referee_product(problem, direction)
    gradients: dict[str, Run] = {}
    products: dict[str, Run] = {}
    for key, peer in peers.items():
        functions = peer.second_order(problem, direction)
        if functions is None:
            continue
        verify.check_arrays(peer.name, "gradient", functions.gradient(), expected_gradient)
        verify.check_arrays(peer.name, "Hessian-vector product", functions.product(), expected_product)
        gradients[key], products[key] = functions.gradient, functions.product
    return gradients, products


def measure(gradients: Mapping[str, Run], products: Mapping[str, Run], effort: Effort) -> tuple[Times, Times]:
    """One race for all, so that a peer's product and its gradient meet in the same rounds."""
    runs = {("gradient", key): run for key, run in gradients.items()}
    runs |= {("product", key): run for key, run in products.items()}
    times = race(runs, effort)
    of_gradients, of_products = ({key: times[what, key] for key in gradients} for what in ("gradient", "product"))
    return of_gradients, of_products


def run(peers: Mapping[str, Peer], sizes: Sequence[Size], effort: Effort) -> Report:
    rows, data = [], {}
    for size in sizes:
        gradients, products = measure(*verified_runs(peers, make_problem(size)), effort)
        label = str(size)
        for key, seconds in products.items():
            rows.append(
                [
                    label,
                    peers[key].name,
                    duration(Spread.of(gradients[key]).median),
                    duration(Spread.of(seconds).median),
                    f"{ratio(seconds, gradients[key]).median:.2f}",
                    *ratio_cells(against(products, key)),
                ]
            )
            label = ""
        data[size.name] = {"gradient": summary(gradients), "product": summary(products)}
    return Report(
        title="Hessian-vector product (verified), its cost in gradients, and ours / peer.",
        header=["network", "framework", "gradient", "product", "in gradients", "ours / peer", "quartiles"],
        rows=rows,
        data=data,
    )
