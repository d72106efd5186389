"""The example of ordinary NumPy code: the functions know nothing of tensors, and their derivatives are right."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import tinygrad_opt as tg

FILE = Path(__file__).resolve().parent.parent / "examples" / "numpy_code.py"
SOURCE = FILE.read_text("utf-8")
FIRST_PART = SOURCE.partition("# ---------------------------------------------------------------- Part two")[0]


@pytest.fixture(scope="module")
def code() -> ModuleType:
    """The example as a module."""
    specification = importlib.util.spec_from_file_location("numpy_code", FILE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


NAMES = [node.name for node in ast.parse(FIRST_PART).body if isinstance(node, ast.FunctionDef)]


def test_the_first_part_imports_numpy_and_the_standard_library():
    imported = {
        alias.name for node in ast.walk(ast.parse(FIRST_PART)) if isinstance(node, ast.Import) for alias in node.names
    }
    assert imported == {"math", "time", "numpy"}
    assert not re.search(r"\b(tg|tensor|grad)\b", FIRST_PART.partition("Part one")[2])


def test_every_function_is_differentiated(code):
    assert {*code.problems(), "rbf_kernel"} == set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "rbf_kernel"])
@pytest.mark.parametrize("seed", [0, 1])
def test_derivatives_are_those_of_the_function_on_arrays(code, name, seed):
    function, x = code.problems(seed)[name]
    value = function(x)
    assert not isinstance(value, tg.Tensor)
    gradient = tg.grad(function)(tg.tensor(x))
    assert (gradient.shape, gradient.dtype) == (x.shape, x.dtype)
    for i in np.ndindex(x.shape):
        e = np.zeros_like(x)
        e[i] = 1.0
        assert gradient.numpy()[i] == pytest.approx(code.slope(function, x, e), rel=1e-6, abs=1e-8)
    row = code.compare(function, x)
    assert row["value"] == pytest.approx(float(value), rel=1e-12)
    assert row["gradient"] == pytest.approx(np.linalg.norm(gradient.numpy()), rel=1e-12)
    assert row["gradient error"] < 1e-8
    assert row["product error"] < 1e-6


def test_it_runs_as_a_script():
    environment = {**os.environ, "PYTHONPATH": str(Path(tg.__file__).parent.parent)}
    done = subprocess.run([sys.executable, str(FILE)], capture_output=True, text=True, env=environment, check=True)
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["function", *(name for name in NAMES if name != "rbf_kernel")]
    for line in lines[1:]:
        assert all(np.isfinite(float(word)) for word in line.split()[1:])
