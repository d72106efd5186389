"""What the functions of matrices share: checks, several results in one array, triangles.

**One primitive, several factors.** A primitive has one output. A decomposition packs its factors, flattened, into one
row per matrix, and its public function cuts the row up again (slices and reshapes, which are primitives themselves). So
the rules see all factors at once, as they must: the derivative of the eigenvectors needs the eigenvalues. A factor that
is not used sends zeros.
"""

from __future__ import annotations

import math
from typing import Any

from .. import backend, errors
from ..core.dtypes import as_dtype, float16
from ..core.modes import current
from ..core.primitive import operand
from .choice import where
from .concatenation import concatenate
from .shape import _reshape


def matrices(
    function: str, x: Any, *, square: bool = False, half: bool = False, name: str = "x", beside: Any = None
) -> Any:  # fmt: skip
    """The argument as a stack of matrices, or an error that names the function; `half`: float16 will do."""
    x = operand(function, x, beside)
    if as_dtype(x.dtype) != float16 or not half:
        x = factorizable(function, x, name)
    shape = x.shape
    if len(shape) < 2 or (square and shape[-1] != shape[-2]):
        raise errors.not_matrices(function, name, shape, square)
    return x


def factorizable(function: str, x: Any, name: str) -> Any:
    """The argument itself, if it holds numbers that there are factorizations for."""
    if as_dtype(x.dtype) == float16:
        raise TypeError(
            f"{function}: {name} is float16, and factorizations are computed in float32 or float64: write "
            f"{function}({name}.astype('float32'))"
        )
    return x


def wants_derivative(x: Any) -> bool:
    """Whether something may be differentiated through what is computed from `x` now."""
    return getattr(x, "_node", None) is not None and current.get().recording


def pack(stack: int, *parts: Any) -> Any:
    """Several arrays as one: `stack` axes in front, and everything else in a row."""
    return concatenate([_reshape(x, shape=(*x.shape[:stack], math.prod(x.shape[stack:]))) for x in parts], axis=-1)


def unpack(packed: Any, *shapes: tuple[int, ...]) -> list[Any]:
    """The arrays of these shapes (their last axes) that a row was packed from."""
    parts, start = [], 0
    for shape in shapes:
        stop = start + math.prod(shape)
        parts.append(_reshape(packed[..., start:stop], shape=(*packed.shape[:-1], *shape)))
        start = stop
    return parts


def verify(function: str, problem: str, result: Any, *given: Any) -> None:
    """Raise as NumPy does where another library says with nan that it failed; nan that was given is no failure.

    The rules leave this out, since it waits for the device: a derivative does not.
    """
    if fails(result) and not any(fails(x) for x in given):
        raise errors.factorization_failed(function, problem)


def fails(x: Any) -> bool:
    """Whether something on a device other than the host is not finite."""
    array = getattr(x, "_array", x)
    if backend.of(array) is backend.HOST:
        return False
    with backend.beside(array):
        return not bool(backend.namespace(array).isfinite(array).all())


def library_beside(x: Any) -> tuple[Any, Any]:
    """The library of the array in `x`, and the context in which it makes arrays beside it."""
    array = getattr(x, "_array", x)
    return backend.namespace(array), backend.beside(array)


def identity(x: Any) -> Any:
    """The unit matrix of the size, the dtype and the device of the square matrices `x`."""
    xp, there = library_beside(x)
    with there:
        return xp.eye(x.shape[-1], dtype=x.dtype)


def lower(x: Any, diagonal: float) -> Any:
    """What stands below the diagonal, and the diagonal itself times `diagonal`."""
    xp, there = library_beside(x)
    n = x.shape[-1]
    with there:
        return x * (xp.tri(n, k=-1, dtype=x.dtype) + diagonal * xp.eye(n, dtype=x.dtype))


def symmetric(x: Any) -> Any:
    """The symmetric part."""
    return (x + x.mT) * 0.5


def over(x: Any, y: Any) -> Any:
    """``x / y``, elementwise, where 0/0 is 0: what does not move stays silent however badly it is determined."""
    neither = (x == 0) * (y == 0)
    return where(neither, 0.0, x / where(neither, 1.0, y))


def over_gaps(x: Any, w: Any) -> Any:
    """``x_ij / (w_j - w_i)``, and 0 on the diagonal."""
    return over(x * (1 - identity(x)), w[..., None, :] - w[..., :, None])
