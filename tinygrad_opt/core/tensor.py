"""The Tensor that users hold: an array, and the node that made it.

A Tensor is a thin handle. The array holds the values; the node, if there is one, holds everything the tape needs,
the gradient of a leaf included. Operators stand in `operators`, what NumPy asks for in `protocols`, and how values get
out of a tensor in `values`.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import backend, errors, ops
from ..ops.shape import move
from . import ledger
from .dtypes import array_from_data, as_dtype
from .gradients import store
from .modes import current
from .operators import Operators
from .primitive import register_tensor, wrap
from .protocols import Protocols
from .tape import Leaf, Variable
from .values import Values
from .walks import Route, pull_back

if TYPE_CHECKING:
    from .explain import Explanation

__all__ = ["Parameter", "Tensor", "seed_for"]

Array = Any


@register_tensor
class Tensor(Values, Protocols, Operators):
    """An array that remembers how it was computed, so that derivatives can be taken.

    Parameters
    ----------
    array : array, tensor, number or (nested) list
        A NumPy or CuPy array is wrapped without copying. Lists and numbers are made into arrays first.
    requires_grad : bool
        Whether derivatives with respect to this tensor will be asked for.

    Raises
    ------
    TypeError
        For a dtype other than bool, integers and floats of at most 64 bits, and for ``requires_grad=True`` on
        anything but floats.

    Examples
    --------
    >>> x = tg.Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __slots__ = ()

    def __init__(self, array: Any, requires_grad: bool = False) -> None:
        if isinstance(array, Variable):
            array = array._array
        elif not backend.is_array(array):
            array = np.asarray(array) if isinstance(array, np.generic) else array_from_data(array, None)
        dtype = as_dtype(array.dtype)
        self._array = array if array.dtype == dtype else array.astype(dtype)
        self._node = None
        if requires_grad:
            self.requires_grad_()

    # What it is.

    @property
    def data(self) -> Array:
        """The array itself.

        Assigning writes in place, into the same memory, and is noticed: a derivative that needs the old values then
        raises instead of using the new ones. Writes into the array (``x.data[0] = 1``) are noticed only inside
        `detect_anomaly`.
        """
        if (journal := current.get().journal) is not None and self.is_leaf:
            journal.changing(self, in_place=True)  # by who asks for the array, perhaps
        return self._array

    @data.setter
    def data(self, value: Any) -> None:
        array, journal = self._array, current.get().journal
        if value is not array:
            value = value._array if isinstance(value, Variable) else value
            if not backend.is_array(value):
                value = backend.to_device(array_from_data(value, array.dtype), self.device)
            if value.shape != array.shape or value.dtype != array.dtype:
                raise errors.ShapeError(
                    f"data: expected an array of shape {array.shape} and dtype {array.dtype}; got {value.shape} "
                    f"and {value.dtype}. Make a new tensor for another shape or dtype."
                )
            if journal is not None:
                journal.changing(self, in_place=True)
            with backend.beside(array):
                array[...] = backend.to_device(value, self.device)
        if journal is None or not journal.repeating:
            ledger.wrote(array, "an assignment to .data")

    @property
    def requires_grad(self) -> bool:
        """Whether derivatives with respect to this tensor can be asked for."""
        return self._node is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Start (or stop) being a leaf of graphs, in place; returns the tensor itself.

        Raises
        ------
        TypeError
            For a tensor that is not floating.
        GraphError
            When asked of a result to stop: ``detach()`` it instead.
        """
        if requires_grad and self._node is None:
            if self._array.dtype.kind != "f":
                raise errors.only_floating(self._array.dtype)
            self._node = Leaf(self._array.shape, self._array.dtype, self.name)
        elif not requires_grad and self._node is not None:
            if not self.is_leaf:
                raise errors.GraphError("only a leaf can stop requiring gradients; for a result write y = y.detach()")
            self._name, self._node = self.name, None
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether this tensor was made by the user rather than computed from tensors that require gradients."""
        return self._node is None or isinstance(self._node, Leaf)

    @property
    def grad(self) -> Tensor | None:
        """The sum of the gradients that `backward` has brought here since the last ``zero_grad()``; None before."""
        node = self._node
        if node is None:
            return None
        if isinstance(node, Leaf):
            return node.grad
        if not hasattr(node, "grad"):
            warnings.warn(
                "the gradient of a result is not kept, and this tensor is a result, not a leaf. Call "
                "y.retain_grad() before backward() to keep it. If it was meant to be a leaf: w = w - lr * w.grad "
                "makes a new tensor; write w.data -= lr * w.grad.data instead.",
                stacklevel=2,
            )
            return None
        return node.grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if not isinstance(self._node, Leaf):
            raise errors.no_graph("this tensor is not a leaf that requires gradients: its gradient cannot be set; it")
        if value is not None:
            value = value if isinstance(value, Tensor) else Tensor(value)
            if value.shape != self.shape:
                raise errors.gradient_shape("grad", value.shape, self.shape)
            value = value.to(self.device).to(self.dtype)
            if self._node.slot is not None and value is not self._node.slot.tensor:
                with backend.beside(value._array):
                    self._node.slot.add(value._array, anew=True)
                value = self._node.slot.tensor
        self._node.grad, self._node.passes = value, 0

    @property
    def name(self) -> str | None:
        """A name for messages and drawings."""
        if self._node is not None:
            return getattr(self._node, "name", None)
        return getattr(self, "_name", None)

    @name.setter
    def name(self, value: str | None) -> None:
        if self._node is not None:
            self._node.name = value
        else:
            self._name = value

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self._array.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._array.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(self._array.size)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""
        return self._array.dtype

    @property
    def device(self) -> str:
        """Where the array lives: ``"cpu"``, ``"cuda:0"``."""
        return backend.device_of(self._array)

    @property
    def T(self) -> Tensor:
        """All axes in reversed order."""
        return ops.transpose(self)

    @property
    def mT(self) -> Tensor:
        """The last two axes exchanged: a stack of matrices, each transposed."""
        return ops.swapaxes(self, -1, -2)

    # Derivatives.

    def backward(self, gradient: Any = None, *, retain_graph: bool = False, **unknown: Any) -> None:
        """Add the derivative of this tensor with respect to every leaf to that leaf's ``grad``.

        Parameters
        ----------
        gradient : tensor or array, optional
            The vector v of a vector-Jacobian product, shaped like this tensor; 1 for a scalar.
        retain_graph : bool
            Keep what the graph saved, so that it can be swept again.

        Raises
        ------
        ShapeError
            Where this tensor is not a scalar and no `gradient` is given.
        GraphError, FreedGraphError, InPlaceError
            Where nothing was recorded, was freed already, or was overwritten.

        Examples
        --------
        >>> x = tg.tensor(3.0, requires_grad=True)
        >>> (x**2).backward()
        >>> x.grad
        tensor(6.)
        """
        if unknown:
            if "create_graph" in unknown:
                raise errors.create_graph_in_backward()
            raise TypeError(f"backward() got an unexpected argument {next(iter(unknown))!r}")
        if self._node is None:
            raise errors.no_graph("this tensor")
        seed = seed_for(self, gradient)._array
        found = pull_back(Route([self._node]), [seed], free=not retain_graph)
        store(found, seed)

    def retain_grad(self) -> Tensor:
        """Ask `backward` to keep the gradient of this tensor although it is not a leaf; returns the tensor."""
        if self._node is None:
            raise errors.no_graph("this tensor")
        if not hasattr(self._node, "grad"):
            self._node.grad = None
        return self

    def zero_grad(self) -> None:
        """Forget the gradient: the next `backward` starts anew."""
        if self._node is not None and hasattr(self._node, "grad"):
            self._node.grad = None

    def detach(self) -> Tensor:
        """The same array, cut off from the graph: no derivative flows through the result."""
        return wrap(self._array)

    def explain(self) -> Explanation:
        """What this tensor is, on one screen: leaf or result, its gradient, its graph, its memory, the next step.

        Returns
        -------
        Explanation
            It prints as text; everything that it says can be read from its attributes.

        Examples
        --------
        >>> x, b = tg.ones(3, 2, requires_grad=True), tg.ones(2, requires_grad=True)
        >>> b.name = "b"
        >>> y = x + b
        >>> y.explain()
        this tensor: a result; it requires gradients because an input does
          holds      (3, 2) float32 on cpu: 24 bytes, memory of its own
          made by    'add' from a leaf tensor of shape (3, 2) and 'b' (2,)
          broadcast  'b' (2,) was repeated; backward() sums its gradient over axis 0
          gradient   not kept: this is a result, and backward() fills leaves only
          graph      1 operation, 1 deep, from 2 leaves; keeps 0 bytes for backward()
          next       backward(gradient), or .sum() or .mean() first, adds derivatives to the .grad of its leaves, ...
        >>> y.explain().repeated[0].axes
        (0,)
        """
        from .explain import explain  # most programs never ask

        return explain(self)

    # Copies and moves.

    def clone(self) -> Tensor:
        """A copy with memory of its own, through which derivatives flow."""
        return ops.copy(self)

    def to(self, target: Any) -> Tensor:
        """The tensor on another device, or in another dtype; itself where nothing changes.

        Parameters
        ----------
        target : str or dtype
            A device (``"cuda"``), or a dtype (``tg.float64``). Derivatives flow through both.
        """
        if isinstance(target, str) and target not in np.sctypeDict:
            device = backend.resolve(target)
            return self if device == self.device else move(self, device=device, source=self.device)
        dtype = as_dtype(target, "to")
        return self if dtype == self.dtype else self.astype(dtype)

    def cpu(self) -> Tensor:
        """The tensor in host memory."""
        return self.to("cpu")

    def cuda(self, index: int | None = None) -> Tensor:
        """The tensor on a GPU."""
        return self.to("cuda" if index is None else f"cuda:{index}")

    def rehome(self, array: Array) -> Tensor:
        """Hold another array from now on, and stay the same object; the old array is left as it is.

        A leaf starts anew: without a gradient, and outside any optimizer's flat vector. Graphs recorded before keep
        the old array.
        """
        if (journal := current.get().journal) is not None:
            journal.changing(self)
        name, learns = self.name, self._node is not None
        self._array, self._node = array, None
        if learns:
            self.requires_grad_()
        self.name = name
        return self

    # Copying and pickling.

    def __copy__(self) -> Tensor:
        return self.__deepcopy__({})

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if not self.is_leaf:
            raise errors.GraphError("only leaves can be copied; write y.detach() or y.clone() for a result")
        twin = type(self).__new__(type(self))
        memo[id(self)] = twin
        twin._restore(self._state())
        return twin

    def __reduce__(self) -> Any:
        if not self.is_leaf:
            raise errors.GraphError("only leaves can be pickled; write y.detach() for the values of a result")
        return _rebuild, (type(self), self._state())

    def _state(self) -> dict[str, Any]:
        """A copy of everything that a leaf consists of, in host memory."""
        grad = self._node.grad if isinstance(self._node, Leaf) else None
        return {
            "array": np.array(backend.of(self._array).to_host(self._array)),
            "device": self.device,
            "requires_grad": self.requires_grad,
            "name": self.name,
            "grad": None if grad is None else grad._state(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        try:
            device = backend.resolve(state["device"])
        except errors.DeviceUnavailableError as error:
            raise errors.pickled_elsewhere(error) from error
        self._array = backend.to_device(state["array"], device)
        self._node = None
        if state["name"] is not None:
            self._name = state["name"]
        if state["requires_grad"]:
            self.requires_grad_()
        if state["grad"] is not None and self._node is not None:
            self._node.grad = _rebuild(Tensor, state["grad"])


class Parameter(Tensor):
    """A tensor that a module learns: it requires gradients, and modules list it among their parameters.

    Parameters
    ----------
    array : array, tensor, number or (nested) list
        Floating values.
    requires_grad : bool
        False for a frozen parameter.

    Examples
    --------
    >>> tg.nn.Parameter(tg.zeros(2))
    Parameter([0., 0.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, array: Any, requires_grad: bool = True) -> None:
        super().__init__(array, requires_grad)

    def __repr__(self) -> str:
        return "Parameter" + super().__repr__().removeprefix("tensor")


def _rebuild(cls: type[Tensor], state: dict[str, Any]) -> Tensor:
    tensor = cls.__new__(cls)
    tensor._restore(state)
    return tensor


def seed_for(output: Tensor, gradient: Any = None, what: str = "gradient") -> Tensor:
    """The cotangent that starts a walk: 1 for a scalar, or what the caller gave, checked and cast."""
    array = output._array
    if gradient is None:
        if array.shape != ():
            raise errors.not_scalar(array.shape)
        with backend.beside(array):
            one = backend.namespace(array).empty((), dtype=array.dtype)
            one.fill(1)
            return wrap(one)
    if not isinstance(gradient, Tensor):
        try:
            gradient = Tensor(gradient)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{what}: {error}") from None
        if backend.of(gradient._array) is backend.HOST:
            gradient = gradient.to(output.device)
    if gradient.shape != array.shape:
        raise errors.gradient_shape(what, gradient.shape, array.shape)
    if gradient.device != output.device:
        raise errors.mixed_devices("derivative", [("the vector", gradient.device), ("its tensor", output.device)])
    return gradient.to(array.dtype)
