"""Specifications of places and counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import ops
from ..sources import POSITIVE, WHOLE, Source
from .spec import Sample, Spec

__all__ = ["SPECS"]


def _searchsorted(source: Source) -> Sample:
    row = np.sort(source.array((source.integer(0, 5),), WHOLE))
    return Sample([row, source.array(source.shape(high=2), WHOLE)], {"side": source.choose(("left", "right"))})


def _histogram(source: Source) -> Sample:
    """Whole bins, so that no element lies on an edge by rounding; edges that some elements lie outside of."""
    meta: dict[str, Any] = source.choose(
        ({"bins": 4, "range": (-2.0, 2.0)}, {"bins": [-2.0, -0.5, 0.0, 3.0]}, {"bins": 2, "density": source.flip()})
    )
    x = source.array(source.shape(empty=False))
    return Sample([x, source.array(x.shape, POSITIVE)] if source.flip() else [x], meta)


def _counts(function: Any) -> Any:
    return lambda x, *weights, **meta: function(x, weights=weights[0] if weights else None, **meta)[0]


def _counts_reference(x: Any, *weights: Any, **meta: Any) -> Any:
    counts = _counts(np.histogram)(x, *weights, **meta)
    return counts.astype(x.dtype) if meta.get("density") and x.dtype.kind == "f" else counts


SPECS = [
    Spec("searchsorted", np.searchsorted, _searchsorted),
    Spec("histogram", _counts_reference, _histogram, function=_counts(ops.histogram)),
    Spec(
        "bin_edges",
        lambda x, bins: np.histogram_bin_edges(x, bins),
        lambda source: Sample([source.array(source.shape())], {"bins": source.integer(1, 5)}),
        function=lambda x, bins: ops.histogram(x, bins)[1],
    ),
]
