"""The table of operations: for each one, how to call it, what NumPy says, and inputs to try it on.

The property suite goes through this table; an operation without an entry fails the suite. A new operation is added
to the file of its family, mostly in one line:

>>> from tinygrad_opt.testing.specs import unary
>>> import numpy as np
>>> unary("exp", np.exp).name
'exp'

A longer entry is a `Spec` with a function that draws arguments from a `Source`::

    def _logsumexp(source):
        shape = source.shape()
        return Sample([source.array(shape)], {"axis": source.axes(len(shape)), "keepdims": source.flip()})


    Spec("logsumexp", lambda x, axis, keepdims: np.log(np.exp(x).sum(axis, keepdims=keepdims)), _logsumexp)
"""

from __future__ import annotations

from ..families import families
from .spec import Sample, Spec, binary, unary

__all__ = ["SPECS", "Sample", "Spec", "binary", "unary"]

SPECS: dict[str, Spec] = {}
for _family in families(__name__, __path__, "SPECS"):
    for _spec in _family:
        if _spec.name in SPECS:
            raise ValueError(f"two specs are named {_spec.name!r}")
        SPECS[_spec.name] = _spec
