"""The command line: choose measurements, sizes and peers; print tables; keep the figures."""

import argparse
import json
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from bench import convolution, environment, footprint, hessian, hvp, layers, operation, optimizers, recomputation, steps
from bench.peers import OURS, PEERS, load_installed
from bench.peers.base import Peer
from bench.report import Report
from bench.rounds import FULL, QUICK, Effort
from bench.verify import Disagreement
from bench.workload import SIZES, Size

Measurement = Callable[[Mapping[str, Peer], Sequence[Size], Effort], Report]

MEASUREMENTS: dict[str, Measurement] = {
    "steps": steps.run,
    "memory": footprint.run,
    "op": operation.run,
    "optim": optimizers.run,
    "hvp": hvp.run,
    "conv": convolution.run,
    "layers": layers.run,
    "hessian": hessian.run,
    "checkpoint": recomputation.run,
}


def name_from(known: Collection[str]) -> Callable[[str], str]:
    """A reader of one name, which must be among the known ones."""

    def name(text: str) -> str:
        if text not in known:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(known)}")
        return text

    return name


def names_from(known: Collection[str]) -> Callable[[str], list[str]]:
    """A reader of several known names between commas."""
    return lambda text: [name_from(known)(part) for part in text.split(",")]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python tools/bench", description="Ours beside its peers, on the same work.")
    add = made.add_argument
    add(
        "what",
        nargs="*",
        type=name_from(MEASUREMENTS),
        default=[*MEASUREMENTS],
        help=f"{', '.join(MEASUREMENTS)}; default: all of them",
    )
    add("--sizes", type=names_from(SIZES), default=[*SIZES], help=",".join(SIZES))
    add("--peers", type=names_from(PEERS), default=[*PEERS], help=",".join(PEERS))
    add("--quick", action="store_true", help="few and short rounds: a first look, not figures to quote")
    add("--json", type=Path, metavar="FILE", help="write the figures of every round to FILE")
    return made


def headline(peers: Mapping[str, Peer], missing: Mapping[str, str]) -> dict[str, str]:
    """What the figures belong to: machine, interpreter, libraries."""
    versions = {peer.distribution: environment.version(peer.distribution) for peer in peers.values()}
    return {
        **environment.describe(),
        "libraries": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "missing": "; ".join(f"{key}: {reason}" for key, reason in missing.items()) or "none",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    sizes = [SIZES[name] for name in options.sizes]
    environment.find_package()
    peers, missing = load_installed([OURS, *(key for key in options.peers if key != OURS)])
    about = headline(peers, missing)
    print(*(f"{key + ':':14} {value}" for key, value in about.items()), sep="\n")

    results: dict[str, object] = {"about": about}
    for what in options.what:
        try:
            report = MEASUREMENTS[what](peers, sizes, QUICK if options.quick else FULL)
        except Disagreement as error:
            print(f"\nNot timed, because wrong: {error}", file=sys.stderr)
            return 1
        print(f"\n{report}", flush=True)
        results[what] = report.data
    if options.json:
        options.json.write_text(json.dumps(results, indent=1, ensure_ascii=False), "utf-8")
    return 0
