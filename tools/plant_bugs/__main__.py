"""`python tools/plant_bugs`: which test sees which bug? The exit status is 1 where one goes unseen."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # so that this folder is the package `plant_bugs`

from plant_bugs.mutations import MUTATIONS, Mutation, StaleMutationError
from plant_bugs.planting import BrokenSuiteError, Outcome, plant_all

WIDTH = max(len(mutation.name) for mutation in MUTATIONS)


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python tools/plant_bugs", description=__doc__)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="bugs tried at a time")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="plant these bugs only")
    parser.add_argument(
        "--tests", nargs="+", metavar="PATH", help="tests to run in place of each bug's own; `--tests tests` runs all"
    )
    parser.add_argument("--list", action="store_true", help="list the bugs and what each breaks")
    return parser.parse_args(given)


def chosen(names: Sequence[str] | None) -> list[Mutation]:
    """The mutations of these names, all by default."""
    known = {mutation.name: mutation for mutation in MUTATIONS}
    unknown = set(names or ()) - set(known)
    if unknown:
        sys.exit(f"no bug is named {sorted(unknown)[0]!r}; the names are: {', '.join(known)}")
    return [known[name] for name in names or known]


def report(mutation: Mutation, outcome: Outcome) -> None:
    """One row of the table."""
    seen = outcome.seen_by or f"NOT SEEN: {mutation.breaks}"
    print(f"{mutation.name:{WIDTH}}  {outcome.seconds:7.1f}  {seen}", flush=True)


def main(given: Sequence[str] | None = None) -> int:
    """Plant the bugs and print the table."""
    options = arguments(given)
    mutations = chosen(options.only)
    if options.list:
        for mutation in mutations:
            print(f"{mutation.name:{WIDTH}}  {mutation.breaks}")
        return 0
    print(f"{'planted bug':{WIDTH}}  seconds  first test that sees it", flush=True)
    try:
        missed = plant_all(mutations, options.tests, options.jobs, report)
    except (BrokenSuiteError, StaleMutationError) as error:
        sys.exit(str(error))
    print(f"{len(mutations) - len(missed)} of {len(mutations)} planted bugs were seen.")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
