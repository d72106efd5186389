"""Every function that NumPy has, on numbers of every dtype, and on nan and infinities: NumPy's value and NumPy's dtype.

Or a clear error, where NumPy computes: then by name. Where the dtype differs on purpose, a table says why.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from test_bad_input import ALLOWED, PUBLIC, answer, leaves, names, on
from tinygrad_opt.testing.sources import RandomSource, Source
from tinygrad_opt.testing.specs import SPECS

# Those of the table that are called as NumPy's are.
NUMPYS = [name for name in PUBLIC if hasattr(np, name) and SPECS[name].function is None and name != "astype"]
DTYPES = ("int64", "int32", "uint8", "bool", "float16", "nan and infinities")
ERRORS = {"float16": 2e-2}  # by rounding: NumPy rounds between its steps, ours do so less

# Where the dtype is another one.
OTHER_DTYPES = dict.fromkeys(
    ("vander", "quantile", "percentile", "interp", "cov", "corrcoef"), "floating numbers keep their dtype"
) | dict.fromkeys(("logaddexp", "logaddexp2"), "whole numbers of one byte are too large for exponentials in float16")
# Where the values are other ones.
OTHER_VALUES = {
    "argsort": "ties stay in their order, in NumPy in any",
    "argpartition": "the order on either side is any",
    "partition": "the order on either side is any",
    "quantile": "between and beside infinities",
    "percentile": "between and beside infinities",
    "einsum": "products of pairs, one pair after the other, meet infinities of either sign elsewhere",
    "interp": "knots that coincide or descend are no question",
}


def cast(x: Any, dtype: str, source: Source) -> Any:
    """Floating arrays in another dtype: whole numbers of either sign where there are such."""
    if isinstance(x, np.ndarray) and x.dtype == "float64":
        if dtype == DTYPES[-1]:
            return np.where(source.mask(x.shape), source.choose((np.nan, np.inf, -np.inf)), x)
        with np.errstate(invalid="ignore"):  # of nan that stands there already
            return (np.abs(x) if dtype == "uint8" else x).astype(dtype)
    return x


def check(name: str, device: str, seed: int, dtype: str) -> None:
    source = RandomSource(seed, device=device)
    spec = SPECS[name]
    sample = spec.sample(source)
    args = [cast(x, dtype, source) for x in sample.args]
    if any(isinstance(x, (list, float)) for x in args):
        return
    expected = answer(getattr(np, name), args, sample.meta)
    found = answer(spec.call, [on(device, x) for x in args], sample.meta)
    if isinstance(found, Exception):
        assert isinstance(found, ALLOWED), f"{type(found).__name__}: {found}"
        assert any(known in str(found) for known in names(spec)), str(found)
        return
    assert not isinstance(expected, Exception), f"a result, where NumPy raises {expected!r}"
    for a, b in zip(leaves(found), leaves(expected), strict=True):
        assert a.shape == b.shape
        if name not in OTHER_DTYPES:
            assert a.dtype == b.dtype, f"{dtype}: {a.dtype}, in NumPy {b.dtype}"
        if name not in OTHER_VALUES:
            near = ERRORS.get(dtype, 2e-2 if "float16" in (str(a.dtype), str(b.dtype)) else 1e-9)
            assert np.allclose(a, b, rtol=near, atol=near, equal_nan=True), f"{dtype}: {a} for {args}, in NumPy {b}"


@pytest.mark.parametrize("name", NUMPYS)
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32), dtype=st.sampled_from(DTYPES))
def test_value_and_dtype_are_numpys(name, device, seed, dtype):
    check(name, device, seed, dtype)
