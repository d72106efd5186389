"""Run the tests: ``python tools/test.py [--with EXTRA,...] [--] [pytest arguments]``.

Makes an environment of its own in .venv and runs pytest there, from the root of the repository.
"""

import argparse
import subprocess
import sys

from _environment import ROOT, exit_with, prepare


def extra_names(text: str) -> list[str]:
    """Split a comma-separated list of extras."""
    names = text.split(",")
    if not all(name.isalnum() for name in names):
        raise argparse.ArgumentTypeError(f"expected names separated by commas, got {text!r}")
    return sorted(set(names))


def split_arguments(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return the further extras that were asked for, and the arguments that are pytest's."""
    parser = argparse.ArgumentParser(
        usage="python tools/test.py [--with EXTRA,...] [--] [pytest arguments]",
        description="Run pytest in an environment of its own. Arguments not listed here are passed on to it.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--with",
        dest="extras",
        metavar="EXTRA,...",
        type=extra_names,
        default=[],
        help="install these extras of pyproject.toml too, for example oracle,dev",
    )
    options, pytest_arguments = parser.parse_known_args(arguments)
    if pytest_arguments[:1] == ["--"]:
        del pytest_arguments[0]
    return options.extras, pytest_arguments


def main() -> int:
    """Run pytest with the arguments given, in an environment that has what the tests need."""
    extras, pytest_arguments = split_arguments(sys.argv[1:])
    python = prepare("-".join(["test", *extras]), ["test", *extras])
    return subprocess.call([python, "-m", "pytest", *pytest_arguments], cwd=ROOT)


if __name__ == "__main__":
    exit_with(main)
