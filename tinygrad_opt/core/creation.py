"""Where tensors come from: data, constants, ranges and random numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend, errors
from .dtypes import array_from_data, as_dtype, default_dtype
from .primitive import wrap
from .tape import Variable
from .tensor import Tensor

__all__ = [
    "arange", "asarray", "empty", "eye", "from_dlpack", "full", "full_like", "linspace", "ones", "ones_like", "rand",
    "randint", "randn", "tensor", "zeros", "zeros_like",
]  # fmt: skip

Shape = int | Sequence[int]


def _host_or_device(data: Any, dtype: Any) -> Any:
    """The array behind any data, still where it is; lists and numbers take the default dtype."""
    if isinstance(data, Variable):
        data = data._array
    if isinstance(data, np.generic):
        data = np.asarray(data)
    if not backend.is_array(data):
        if hasattr(data, "__array__"):
            data = np.asarray(data)
        else:
            data = array_from_data(_unwrapped(data), dtype)
    wanted = as_dtype(data.dtype if dtype is None else dtype)
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
    array = _host_or_device(data, dtype)
    target = backend.device_of(array) if device is None else backend.resolve(device)
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
    array = _host_or_device(data, dtype)
    return Tensor(array if device is None else backend.to_device(array, backend.resolve(device)), requires_grad)


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


def _sides(shape: Any) -> tuple[int, ...]:
    """A shape given as one tuple or as several integers."""
    if len(shape) == 1 and not isinstance(shape[0], (int, np.integer)):
        shape = tuple(shape[0])
    if any(int(n) < 0 for n in shape):
        raise errors.ShapeError(f"a shape has no negative sides; got {tuple(shape)}")
    return tuple(int(n) for n in shape)


def _made(name: str, *args: Any, dtype: Any, device: str | None, requires_grad: bool) -> Tensor:
    """Call a creation function of the device's array library."""
    place = backend.resolve(device)
    library = backend.for_device(place)
    with library.on(place):
        array = getattr(library.namespace, name)(*args, dtype=as_dtype(dtype or default_dtype()))
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
    return _made("zeros", _sides(shape), dtype=dtype, device=device, requires_grad=requires_grad)


def ones(*shape: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Ones; parameters as for `zeros`.

    Examples
    --------
    >>> tg.ones(2)
    tensor([1., 1.])
    """
    return _made("ones", _sides(shape), dtype=dtype, device=device, requires_grad=requires_grad)


def empty(*shape: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor whose elements have not been set; parameters as for `zeros`.

    Examples
    --------
    >>> tg.empty((2, 3)).shape
    (2, 3)
    """
    return _made("empty", _sides(shape), dtype=dtype, device=device, requires_grad=requires_grad)


def full(
    shape: Shape, fill_value: float, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """One value everywhere; whole numbers make int64 tensors, as in `tensor`.

    Examples
    --------
    >>> tg.full((2,), 0.5)
    tensor([0.5, 0.5])
    """
    dtype = dtype or array_from_data(fill_value, None).dtype
    return _made("full", _sides((shape,)), fill_value, dtype=dtype, device=device, requires_grad=requires_grad)


def arange(
    start: float, stop: float | None = None, step: float = 1, *, dtype: Any = None, device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Evenly spaced numbers from `start` (0 where only one number is given) up to, but without, `stop`.

    Examples
    --------
    >>> tg.arange(3)
    tensor([0, 1, 2])
    """
    start, stop = (0, start) if stop is None else (start, stop)
    dtype = dtype or array_from_data([start, stop, step], None).dtype
    return _made("arange", start, stop, step, dtype=dtype, device=device, requires_grad=requires_grad)


def linspace(
    start: float, stop: float, num: int = 50, *, dtype: Any = None, device: str | None = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """`num` evenly spaced numbers from `start` to `stop`, both included.

    Examples
    --------
    >>> tg.linspace(0, 1, 3)
    tensor([0. , 0.5, 1. ])
    """
    return _made("linspace", start, stop, num, dtype=dtype, device=device, requires_grad=requires_grad)


def eye(
    n: int, m: int | None = None, *, dtype: Any = None, device: str | None = None, requires_grad: bool = False
) -> Tensor:
    """Ones on the diagonal, zeros elsewhere.

    Examples
    --------
    >>> tg.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _made("eye", n, m, dtype=dtype, device=device, requires_grad=requires_grad)


def zeros_like(x: Any, *, dtype: Any = None) -> Tensor:
    """Zeros in the shape, dtype and place of `x`.

    Examples
    --------
    >>> tg.zeros_like(tg.tensor([1.0, 2.0]))
    tensor([0., 0.])
    """
    return full_like(x, 0, dtype=dtype)


def ones_like(x: Any, *, dtype: Any = None) -> Tensor:
    """Ones in the shape, dtype and place of `x`.

    Examples
    --------
    >>> tg.ones_like(tg.tensor([1.0, 2.0]))
    tensor([1., 1.])
    """
    return full_like(x, 1, dtype=dtype)


def full_like(x: Any, fill_value: float, *, dtype: Any = None) -> Tensor:
    """One value everywhere, in the shape, dtype and place of `x`.

    Examples
    --------
    >>> tg.full_like(tg.tensor([1.0, 2.0]), 3)
    tensor([3., 3.])
    """
    array = x._array if isinstance(x, Variable) else x
    xp = backend.namespace(array)
    with backend.beside(array):
        return wrap(xp.full(array.shape, fill_value, dtype=as_dtype(dtype or array.dtype)))


def _drawn(shape: Any, draw: str, dtype: Any, device: str | None, requires_grad: bool) -> Tensor:
    place = backend.resolve(device)
    wanted = as_dtype(dtype or default_dtype())
    if wanted.kind != "f":
        raise TypeError(f"{draw}: random reals need a floating dtype; got {wanted}")
    with backend.for_device(place).on(place):
        array = getattr(backend.generator(place), draw)(_sides(shape))
        array = backend.namespace(array).asarray(array) if not shape else array
        return Tensor(array.astype(wanted), requires_grad)


def rand(*shape: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Uniform random numbers in [0, 1), from the generator that `manual_seed` sets.

    Examples
    --------
    >>> tg.rand(2, 3).shape
    (2, 3)
    """
    return _drawn(shape, "random", dtype, device, requires_grad)


def randn(*shape: Any, dtype: Any = None, device: str | None = None, requires_grad: bool = False) -> Tensor:
    """Normal random numbers with mean 0 and variance 1, from the generator that `manual_seed` sets.

    Examples
    --------
    >>> tg.randn(2, 3).shape
    (2, 3)
    """
    return _drawn(shape, "standard_normal", dtype, device, requires_grad)


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
    place = backend.resolve(device)
    with backend.for_device(place).on(place):
        array = backend.generator(place).integers(low, high, _sides((shape,)))
        array = backend.namespace(array).asarray(array)
        return Tensor(array.astype(as_dtype(dtype or "int64")))
