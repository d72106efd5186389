"""Fixtures for every test of a run, also for the doctests of the package, which lie outside this folder."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import strict_double
import tinygrad_opt as tg
from tinygrad_opt.core import dtypes, modes


def _global_state() -> dict[str, Any]:
    """What a test has to leave as it found it."""
    legacy = np.random.get_state()  # noqa: NPY002 - it is the global generator that is watched
    return {
        "the recording mode": modes.current.get(),
        "the default dtype": dtypes.default_dtype(),
        "NumPy's global random generator": (legacy[1].tobytes(), *legacy[2:]),
        "NumPy's handling of floating-point errors": np.geterr(),
        "the warnings filters": list(warnings.filters),
        "the current device of the double": strict_double.Device().id,
    }


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail a test that leaves global state changed."""
    before = _global_state()
    yield
    after = _global_state()
    leaks = [what for what in before if before[what] != after[what]]
    modes.current.set(before["the recording mode"])  # so that the next test does not fail for this one
    dtypes.set_default_dtype(before["the default dtype"])
    np.seterr(**before["NumPy's handling of floating-point errors"])
    if leaks:
        pytest.fail(f"the test leaves changed: {', '.join(leaks)}", pytrace=False)


@pytest.fixture(autouse=True, scope="session")
def names_in_doctests(doctest_namespace: dict[str, Any]) -> None:
    """Doctests speak of ``tg``."""
    doctest_namespace["tg"] = tg
