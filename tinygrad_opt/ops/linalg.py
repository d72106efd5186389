"""Linear algebra, under NumPy's names: ``tg.linalg``.

Every function takes stacks of matrices, (..., m, n), and knows its derivatives. Where NumPy raises `LinAlgError` (a
singular matrix, one that is not positive definite, an iteration that does not converge), so do all devices; on a GPU
that means to wait for the result.
"""

from __future__ import annotations

from ..errors import LinAlgError
from .chains import matrix_power, multi_dot
from .determinant import det, slogdet
from .norms import norm
from .pseudoinverse import lstsq, matrix_rank, pinv
from .solving import inv, solve
from .spectra import eigh, eigvalsh, svd, svdvals
from .triangles import cholesky, qr

__all__ = [
    "LinAlgError", "cholesky", "det", "eigh", "eigvalsh", "inv", "lstsq", "matrix_power", "matrix_rank", "multi_dot",
    "norm", "pinv", "qr", "slogdet", "solve", "svd", "svdvals",
]  # fmt: skip
