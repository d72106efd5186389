"""The main comparison: one whole training step, at every size.

A step is: clear the gradients, forward, loss, backward, Adam update, always on the same batch.
"""

from collections.abc import Mapping, Sequence

from bench import verify
from bench.peers.base import Peer
from bench.report import Report, race_rows, summary
from bench.rounds import Effort, Run, race
from bench.workload import Problem, Size, make_problem


def verified_steps(peers: Mapping[str, Peer], problem: Problem) -> dict[str, Run]:
    """Everybody's training step, after its first few losses were found right."""
    expected = verify.referee_losses(problem)
    steps = {}
    for key, peer in peers.items():
        step = peer.training_step(problem)
        verify.check_losses(peer.name, verify.trajectory(step), expected)
        steps[key] = step
    return steps


def run(peers: Mapping[str, Peer], sizes: Sequence[Size], effort: Effort) -> Report:
    names = {key: peer.name for key, peer in peers.items()}
    rows, data = [], {}
    for size in sizes:
        times = race(verified_steps(peers, make_problem(size)), effort)
        rows += race_rows(str(size), times, names)
        data[size.name] = summary(times)
    return Report(
        title="Training step (loss trajectories verified). Below 1: ours is faster.",
        header=["network", "framework", "time", "ours / peer", "quartiles"],
        rows=rows,
        data=data,
    )
