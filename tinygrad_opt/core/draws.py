"""Tensors of random numbers, all from the generator that `manual_seed` sets."""

from __future__ import annotations

from typing import Any

from .. import backend, errors
from ..ops.shape import as_integer, as_shape
from .creation import Shape, pattern, sides_of
from .dtypes import as_dtype, default_dtype
from .tensor import Tensor

__all__ = ["rand", "rand_like", "randint", "randn", "randn_like"]


def _drawn(
    function: str, sides: tuple[int, ...], draw: str, dtype: Any, device: str | None, requires_grad: bool
) -> Tensor:
    place = backend.resolve(device, function)
    wanted = default_dtype() if dtype is None else as_dtype(dtype, function)
    if wanted.kind != "f":
        raise TypeError(f"{function}: random reals need a floating dtype; got {wanted}")
    with backend.for_device(place).on(place):
        try:
            array = getattr(backend.generator(place), draw)(sides)
        except errors.OF_KERNELS as error:
            raise errors.kernel_failed(function, [], {"shape": sides}, error) from error
        array = backend.namespace(array).asarray(array) if not sides else array
        return Tensor(array.astype(wanted), requires_grad)


def rand(*shape: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Uniform random numbers in [0, 1), from the generator that `manual_seed` sets.

    Examples
    --------
    >>> tg.rand(2, 3).shape
    (2, 3)
    """
    return _drawn("rand", sides_of("rand", shape), "random", dtype, device, requires_grad)


def randn(*shape: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Normal random numbers with mean 0 and variance 1, from the generator that `manual_seed` sets.

    Examples
    --------
    >>> tg.randn(2, 3).shape
    (2, 3)
    """
    return _drawn("randn", sides_of("randn", shape), "standard_normal", dtype, device, requires_grad)


def rand_like(
    x: Any, dtype: Any = None, *, shape: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Uniform random numbers in [0, 1), in the shape, dtype and place of `x`; parameters as for `zeros_like`.

    Examples
    --------
    >>> tg.rand_like(tg.zeros(2, 3)).shape
    (2, 3)
    """
    sides, wanted, place = pattern("rand_like", x, dtype, shape, device)
    return _drawn("rand_like", sides, "random", wanted, place, requires_grad)


def randn_like(
    x: Any, dtype: Any = None, *, shape: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Normal random numbers, in the shape, dtype and place of `x`; parameters as for `zeros_like`.

    Examples
    --------
    >>> tg.randn_like(tg.zeros(2, 3)).shape
    (2, 3)
    """
    sides, wanted, place = pattern("randn_like", x, dtype, shape, device)
    return _drawn("randn_like", sides, "standard_normal", wanted, place, requires_grad)


def randint(
    low: int, high: int | None = None, shape: Shape = (), *, dtype: Any = None, device: str | None = None
) -> Tensor:
    """Whole random numbers from `low` (0 where only one bound is given) up to, but without, `high`.

    Examples
    --------
    >>> int(tg.randint(10, shape=(100,)).max()) < 10
    True
    """
    low, high = (0, low) if high is None else (low, high)
    low, high = as_integer("randint", "low", low), as_integer("randint", "high", high)
    if low >= high:
        raise ValueError(f"randint: there is no whole number from {low} up to, but without, {high}")
    place = backend.resolve(device)
    with backend.for_device(place).on(place):
        array = backend.generator(place).integers(low, high, as_shape("randint", shape))
        array = backend.namespace(array).asarray(array)
        return Tensor(array.astype(as_dtype("int64" if dtype is None else dtype)))
