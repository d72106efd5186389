"""What is done for large arrays only, done for small ones: with other thresholds the properties hold as well."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from properties import check
from strategies import examples
from tinygrad_opt.core import folding
from tinygrad_opt.ops import arithmetic, blend, columns, conv, index, special
from tinygrad_opt.testing.specs import SPECS

CONVOLUTIONS = [
    "conv", "conv_input", "conv_weight", "conv_bias", "conv_seen", "conv_weight_seen", "conv1d", "conv2d",
    "conv_transpose2d", "unfold", "fold",
]  # fmt: skip
PATHS = [  # (module, what has another value there, operations that then go another way)
    (conv, {"FEW": 0, "WIDE": 0}, CONVOLUTIONS),
    (conv, {"FEW": 1 << 30}, CONVOLUTIONS),
    (columns, {"HOST_BLOCK": 1, "DEVICE_BLOCK": 1}, CONVOLUTIONS),
    (index, {"_MANY": 0}, ["getitem", "scatter_add", "scatter_sum", "take", "add_at", "subtract_at"]),
    (folding, {"_MANY": 0}, ["sum_to", "multiply", "broadcast_to", "sum", "mean", "max", "min", "prod"]),
    (blend, {"_MANY": 0}, ["where", "relu", "clip", "maximum", "fmax", "sigmoid", "logaddexp", "xlogy", "erf", "sinc"]),
    (arithmetic, {"_MANY": 0}, ["power"]),
    (special, {"_BLOCK": 2}, ["erf", "erfc"]),
]
CASES = [(module, values, name) for module, values, names in PATHS for name in names]


@pytest.mark.parametrize(
    ("module", "values", "name"), CASES, ids=[f"{name}-{'-'.join(values)}" for _, values, name in CASES]
)
@given(data=st.data())
def test_operation(module: Any, values: dict[str, int], name: str, device: str, data: Any) -> None:
    assert all(hasattr(module, key) for key in values)
    with mock.patch.multiple(module, **values):
        check(data.draw(examples(SPECS[name], device)))
