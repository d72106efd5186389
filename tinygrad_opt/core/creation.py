"""Where tensors come from: data, constants and ranges."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend, errors, ops
from ..ops.shape import as_integer, as_shape
from .dtypes import array_from_data, as_dtype, default_dtype
from .primitive import operand, wrap
from .tape import Variable
from .tensor import Tensor

__all__ = [
    "arange", "asarray", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "linspace", "logspace",
    "ones", "ones_like", "pattern", "sides_of", "tensor", "tri", "zeros", "zeros_like",
]  # fmt: skip

Shape = int | Sequence[int]


def _host_or_device(function: str, data: Any, dtype: Any) -> Any:
    """The array behind any data, still where it is; lists and numbers take the default dtype."""
    if isinstance(data, Variable):
        data = data._array
    if isinstance(data, np.generic):
        data = np.asarray(data)
    if not backend.is_array(data):
        if hasattr(data, "__array__"):
            data = np.asarray(data)
        else:
            data = array_from_data(_unwrapped(data), dtype, function)
    wanted = as_dtype(data.dtype, function)
    wanted = wanted if dtype is None else as_dtype(dtype, function)
    return data if data.dtype == wanted else data.astype(wanted)


def _unwrapped(data: Any) -> Any:
    """Nested lists with the tensors inside them replaced by their arrays."""
    if isinstance(data, (list, tuple)):
        return [_unwrapped(item) for item in data]
    if isinstance(data, Variable) and data._node is not None:
        raise TypeError(
            "a list of tensors that require gradients would lose them; write tg.stack([a, b]), or a.detach() for values"
        )
    return data._array if isinstance(data, Variable) else data


def tensor(data: Any, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of `data`.

    Parameters
    ----------
    data : number, (nested) list, array or tensor
        Floating numbers and lists of them take the default dtype (float32), whole numbers int64; arrays keep theirs.
    dtype : dtype, optional
    device : str, optional
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"auto"``; by default where the data is, the CPU for lists.
    requires_grad : bool
        Whether derivatives with respect to it will be asked for.

    Raises
    ------
    TypeError
        For complex and other numbers that a tensor cannot hold; for ``requires_grad=True`` on whole numbers.
    ShapeError
        For lists of unequal lengths.
    DeviceUnavailableError
        For a device that this machine cannot give.

    Examples
    --------
    >>> tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    tensor([[1., 2.],
            [3., 4.]], requires_grad=True)
    """
    array = _host_or_device("tensor", data, dtype)
    target = backend.device_of(array) if device is None else backend.resolve(device, "tensor")
    moved = backend.to_device(array, target)
    if moved is array:
        with backend.beside(moved):
            moved = backend.namespace(moved).array(moved)
    return Tensor(moved, requires_grad)


def asarray(data: Any, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor that shares memory with `data` wherever that is possible; parameters as for `tensor`.

    Examples
    --------
    >>> import numpy as np
    >>> values = np.zeros(2)
    >>> t = tg.asarray(values)
    >>> values[0] = 7
    >>> t
    tensor([7., 0.], dtype=float64)
    """
    if isinstance(data, Tensor) and not requires_grad and dtype is None and device is None:
        return data
    array = _host_or_device("asarray", data, dtype)
    if device is not None:
        array = backend.to_device(array, backend.resolve(device, "asarray"))
    return Tensor(array, requires_grad)


_ON_THE_HOST = (1, 3, 11)  # DLPack's numbers for host memory: ordinary, and pinned by CUDA or ROCm


def from_dlpack(x: Any, /, *, device: str | None = None, copy: bool | None = None) -> Tensor:
    """A tensor over the memory of another library's array, by the DLPack protocol; nothing is copied.

    Both see what the other writes, and writes from outside are not noticed by the tape. `Tensor` itself can be given
    to the ``from_dlpack`` of NumPy, PyTorch, CuPy and JAX.

    Parameters
    ----------
    x : object with ``__dlpack__`` and ``__dlpack_device__``
        An array of NumPy, PyTorch, CuPy, JAX, ...
    device : str, optional
        Where the tensor shall be; where the memory is by default.
    copy : bool, optional
        True: always copy. False: never copy; an error where a copy would be needed.

    Raises
    ------
    TypeError
        For an object without the protocol, and for complex and other unsupported dtypes.
    BufferError
        Where the other library does not give its memory away (it requires gradients, ...), or ``copy=False`` cannot
        be.

    Examples
    --------
    >>> import numpy as np
    >>> array = np.zeros(2)
    >>> t = tg.from_dlpack(array)
    >>> array[0] = 5.0
    >>> t
    tensor([5., 0.], dtype=float64)
    """
    if not hasattr(x, "__dlpack__") or not hasattr(x, "__dlpack_device__"):
        raise TypeError(
            f"from_dlpack: a {type(x).__name__} does not offer its memory (by __dlpack__). Write tg.tensor(x)."
        )
    if copy not in (None, True, False):
        raise TypeError(f"from_dlpack: copy is True, False or None; got {copy!r}")
    library = backend.HOST if x.__dlpack_device__()[0] in _ON_THE_HOST else backend.for_device("cuda")
    try:
        found = Tensor(library.namespace.from_dlpack(x))
    except RuntimeError as error:  # a dtype that the array library does not know
        raise TypeError(f"from_dlpack: {error} Convert the array to float32 in its own library first.") from error
    target = found.device if device is None else backend.resolve(device)
    if target == found.device:
        return wrap(_copied(found._array)) if copy else found
    if copy is False:
        raise BufferError(f"from_dlpack: the memory is on {found.device}; copy=False cannot bring it to {target}.")
    return wrap(backend.to_device(found._array, target))


def _copied(array: Any) -> Any:
    with backend.beside(array):
        return backend.namespace(array).array(array)


def sides_of(function: str, shape: Any) -> tuple[int, ...]:
    """A shape given as one tuple or as several integers."""
    return as_shape(function, shape[0] if len(shape) == 1 else shape)


def _number(function: str, argument: str, value: Any) -> float | int:
    """A number of any library as Python's, or an error that names the function and its argument."""
    if getattr(value, "shape", None) == () and not getattr(value, "requires_grad", False):
        value = value.item()
    if not isinstance(value, (int, float)):
        raise TypeError(f"{function}: {argument} must be a number; got {value!r}")
    return value


def _made(name: str, *args: Any, dtype: Any, device: str | None, requires_grad: bool, **options: Any) -> Tensor:
    """Call a creation function of the device's array library."""
    place = backend.resolve(device, name)
    library = backend.for_device(place)
    wanted = default_dtype() if dtype is None else as_dtype(dtype, name)
    with library.on(place):
        try:
            array = getattr(library.namespace, name)(*args, dtype=wanted, **options)
        except errors.OF_KERNELS as error:
            raise errors.kernel_failed(name, [], options, error) from error
    return Tensor(array, requires_grad)


def zeros(*shape: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros.

    Parameters
    ----------
    *shape : int
        The sides, or one tuple of them.
    dtype, device, requires_grad
        As for `tensor`; the default floating dtype.

    Examples
    --------
    >>> tg.zeros(2, 3).shape
    (2, 3)
    """
    return _made("zeros", sides_of("zeros", shape), dtype=dtype, device=device, requires_grad=requires_grad)


def ones(*shape: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Ones; parameters as for `zeros`.

    Examples
    --------
    >>> tg.ones(2)
    tensor([1., 1.])
    """
    return _made("ones", sides_of("ones", shape), dtype=dtype, device=device, requires_grad=requires_grad)


def empty(*shape: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor whose elements have not been set; parameters as for `zeros`.

    Examples
    --------
    >>> tg.empty((2, 3)).shape
    (2, 3)
    """
    return _made("empty", sides_of("empty", shape), dtype=dtype, device=device, requires_grad=requires_grad)


def full(
    shape: Shape, fill_value: Any, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """One value everywhere; whole numbers make int64 tensors, as in `tensor`.

    Parameters
    ----------
    shape : int or sequence of int
    fill_value : number, tensor or array
        What has axes is repeated up to the shape. Derivatives flow into a tensor.
    dtype, device, requires_grad
        As for `tensor`.

    Examples
    --------
    >>> tg.full((2,), 0.5)
    tensor([0.5, 0.5])
    """
    return _filled("full", as_shape("full", shape), fill_value, dtype, device, requires_grad)


def _filled(
    function: str, sides: tuple[int, ...], value: Any, dtype: Any, device: str | None, requires_grad: bool
) -> Tensor:
    if isinstance(value, (int, float)) and not isinstance(value, np.generic):
        dtype = array_from_data(value, None).dtype if dtype is None else dtype
        return _made("full", sides, value, dtype=dtype, device=device, requires_grad=requires_grad)
    try:
        fill = asarray(value)
    except (TypeError, ValueError) as error:
        raise errors.in_argument(function, "fill_value", error) from None
    fill = fill if device is None else fill.to(backend.resolve(device, function))
    fill = fill if dtype is None else fill.to(as_dtype(dtype, function))
    if len(fill.shape) > len(sides) or any(
        n not in (1, m) for n, m in zip(fill.shape[::-1], sides[::-1], strict=False)
    ):
        raise errors.ShapeError(f"{function}: fill_value of shape {fill.shape} cannot be repeated up to {sides}")
    filled: Tensor = ops.copy(ops.broadcast_to(fill, sides))
    return filled.requires_grad_() if requires_grad else filled


def arange(
    start: float, stop: float | None = None, step: float = 1, *, dtype: Any = None, device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Evenly spaced numbers from `start` (0 where only one number is given) up to, but without, `stop`.

    Whole numbers make an int64 tensor, others one of the default dtype.

    Examples
    --------
    >>> tg.arange(3)
    tensor([0, 1, 2])
    """
    start, stop = (0, start) if stop is None else (start, stop)
    start, stop = _number("arange", "start", start), _number("arange", "stop", stop)
    step = _number("arange", "step", step)
    if not math.isfinite(start) or not math.isfinite(stop) or math.isnan(step) or step == 0:
        raise ValueError(f"arange: there is no way from {start} to {stop} in steps of {step}")
    dtype = array_from_data([start, stop, step], None).dtype if dtype is None else dtype
    return _made("arange", start, stop, step, dtype=dtype, device=device, requires_grad=requires_grad)


def linspace(
    start: float, stop: float, num: int = 50, endpoint: bool = True, retstep: bool = False, *, dtype: Any = None,
    device: str | None = None, requires_grad: bool = False,
) -> Any:  # fmt: skip
    """`num` evenly spaced numbers from `start` to `stop`.

    Parameters
    ----------
    start, stop : number
    num : int
    endpoint : bool
        Whether `stop` is the last of them.
    retstep : bool
        Return the distance of neighbours too, as a pair.
    dtype, device, requires_grad
        As for `tensor`; the default floating dtype.

    Examples
    --------
    >>> tg.linspace(0, 1, 3)
    tensor([0. , 0.5, 1. ])
    """
    start, stop = _number("linspace", "start", start), _number("linspace", "stop", stop)
    count = _count("linspace", "num", num)
    places = _made(
        "linspace", start, stop, count, endpoint=endpoint, dtype=dtype, device=device, requires_grad=requires_grad
    )
    if not retstep:
        return places
    gaps = count - 1 if endpoint else count
    return places, (stop - start) / gaps if gaps > 0 else math.nan


def logspace(
    start: float, stop: float, num: int = 50, endpoint: bool = True, base: float = 10.0, *, dtype: Any = None,
    device: str | None = None, requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Numbers from ``base ** start`` to ``base ** stop`` whose logarithms are evenly spaced; see `linspace`.

    Examples
    --------
    >>> tg.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    start, stop = _number("logspace", "start", start), _number("logspace", "stop", stop)
    return _made(
        "logspace", start, stop, _count("logspace", "num", num), endpoint=endpoint,
        base=_number("logspace", "base", base), dtype=dtype, device=device, requires_grad=requires_grad,
    )  # fmt: skip


def eye(
    n: int, m: int | None = None, k: int = 0, *, dtype: Any = None, device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Ones on the `k`-th diagonal of an `n` by `m` matrix, zeros elsewhere.

    Examples
    --------
    >>> tg.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    rows, columns, k = _matrix("eye", n, m, k)
    return _made("eye", rows, columns, k, dtype=dtype, device=device, requires_grad=requires_grad)


def tri(
    n: int, m: int | None = None, k: int = 0, *, dtype: Any = None, device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Ones on and below the `k`-th diagonal of an `n` by `m` matrix, zeros above.

    Examples
    --------
    >>> tg.tri(2)
    tensor([[1., 0.],
            [1., 1.]])
    """
    rows, columns, k = _matrix("tri", n, m, k)
    return _made("tri", rows, columns, k, dtype=dtype, device=device, requires_grad=requires_grad)


def _count(function: str, argument: str, value: Any) -> int:
    count = as_integer(function, argument, value)
    if count < 0:
        raise errors.ShapeError(f"{function}: {argument} must not be negative; got {count}")
    return count


def _matrix(function: str, n: Any, m: Any, k: Any) -> tuple[int, int, int]:
    rows = _count(function, "n", n)
    return rows, rows if m is None else _count(function, "m", m), as_integer(function, "k", k)


def pattern(function: str, x: Any, dtype: Any, shape: Any, device: str | None) -> tuple[tuple[int, ...], Any, str]:
    """Shape, dtype and place of `x`, where nothing else is said."""
    array = operand(function, x)
    array = getattr(array, "_array", array)
    return (
        tuple(array.shape) if shape is None else as_shape(function, shape),
        array.dtype if dtype is None else as_dtype(dtype, function),
        backend.device_of(array) if device is None else device,
    )


def zeros_like(
    x: Any, dtype: Any = None, *, shape: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape, dtype and place of `x`, or in others.

    Parameters
    ----------
    x : tensor or array
    dtype, shape, device, optional
        Where they are to differ from those of `x`.
    requires_grad : bool

    Examples
    --------
    >>> tg.zeros_like(tg.tensor([1.0, 2.0]))
    tensor([0., 0.])
    """
    sides, wanted, place = pattern("zeros_like", x, dtype, shape, device)
    return _made("zeros", sides, dtype=wanted, device=place, requires_grad=requires_grad)


def ones_like(
    x: Any, dtype: Any = None, *, shape: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Ones in the shape, dtype and place of `x`; parameters as for `zeros_like`.

    Examples
    --------
    >>> tg.ones_like(tg.tensor([1.0, 2.0]))
    tensor([1., 1.])
    """
    sides, wanted, place = pattern("ones_like", x, dtype, shape, device)
    return _made("ones", sides, dtype=wanted, device=place, requires_grad=requires_grad)


def empty_like(
    x: Any, dtype: Any = None, *, shape: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor like `x` whose elements have not been set; parameters as for `zeros_like`.

    Examples
    --------
    >>> tg.empty_like(tg.tensor([1.0, 2.0])).shape
    (2,)
    """
    sides, wanted, place = pattern("empty_like", x, dtype, shape, device)
    return _made("empty", sides, dtype=wanted, device=place, requires_grad=requires_grad)


def full_like(
    x: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None, device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """One value everywhere, in the shape, dtype and place of `x`; parameters as for `zeros_like` and `full`.

    Examples
    --------
    >>> tg.full_like(tg.tensor([1.0, 2.0]), 3)
    tensor([3., 3.])
    """
    sides, wanted, place = pattern("full_like", x, dtype, shape, device)
    return _filled("full_like", sides, fill_value, wanted, place, requires_grad)
