"""What the tests share: the devices they run on, the strict double of CuPy, Hypothesis' profiles."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.database import DirectoryBasedExampleDatabase

sys.path.append(str(Path(__file__).parent))  # the tests' own libraries: strict_double and the like

import everywhere
import strict_double
import tinygrad_opt as tg
from tinygrad_opt import backend

settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=60, deadline=None, derandomize=True, database=None)
settings.register_profile(
    "nightly",
    max_examples=1000,
    deadline=None,
    derandomize=False,
    database=DirectoryBasedExampleDatabase(".hypothesis/examples"),
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))

strict_double.install()


def pytest_configure(config: pytest.Config) -> None:
    """Take in the fixtures of `everywhere` for the whole run, not only for this folder."""
    config.pluginmanager.register(everywhere)


@pytest.fixture(scope="session", params=["cpu", "double", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    """The full name of a device: the CPU, the strict double of CuPy, and a GPU where there is one."""
    try:
        return backend.resolve(request.param)
    except tg.errors.DeviceUnavailableError as error:
        pytest.skip(str(error))
