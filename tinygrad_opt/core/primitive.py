"""A primitive: a pure function of arrays (positional) and metadata (keyword only) that knows its derivatives.

Called on raw arrays it *is* the array library's function; called with a Tensor among its arguments it also records a
node. Rules are written in primitives and operators, so the same rule serves the fast pass on raw arrays and the
recorded pass on Tensors. What an author writes depends on the kind of primitive: see `kinds`.

**What a rule does not read is not kept.** A rule says so in its signature: a parameter whose name starts with an
underscore is not read, and receives `UNREAD`, which refuses every use. ``lambda g, y, _x: g * y`` keeps the output of
`exp` and lets its input go.
"""

from __future__ import annotations

import importlib
import inspect
import pickle
from collections.abc import Callable, Container, Sequence
from functools import partial
from operator import itemgetter
from types import MethodType
from typing import Any

import numpy as np

from .. import backend, errors
from . import anomaly, declaration
from .dtypes import array_from_data
from .modes import Mode, current
from .tape import Node, Variable

__all__ = ["REGISTRY", "UNREAD", "Primitive", "named", "operand", "ours", "reads", "register_tensor", "wrap"]

Array = Any
Rule = Callable[..., Any]
REGISTRY: dict[str, Primitive] = {}
_new = object.__new__
_tensor: type[Variable] = Variable
_OTHER: Any = object()
_NUMBERS = (float, int, bool)
# Types that any library's kernel takes beside its arrays: Python's numbers and NumPy's scalars.
_SCALARS = (float, int, bool, np.float16, np.float32, np.float64, np.int32, np.int64, np.bool_)


def register_tensor(cls: type[Variable]) -> type[Variable]:
    """Name the class that primitives return."""
    global _tensor
    _tensor = cls
    return cls


def wrap(array: Array, node: Node | None = None) -> Any:
    """An array as a Tensor, attached to the node that made it."""
    tensor = _new(_tensor)
    tensor._array = array
    tensor._node = node
    return tensor


class _Unread:
    """Stands where an argument was not kept. Reading it means that a declaration is wrong."""

    __slots__ = ()
    __array_ufunc__ = None

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise TypeError(
            "a derivative rule reads an argument that it declared as unread: drop the leading underscore from the "
            "parameter's name in the rule, so that the argument is kept."
        )

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # a protocol that somebody asks for (doctest, copy), not a rule
            raise AttributeError(name)
        self._refuse()

    __array__ = __getitem__ = __len__ = __iter__ = __bool__ = __float__ = _refuse
    __add__ = __sub__ = __mul__ = __truediv__ = __pow__ = __matmul__ = __neg__ = _refuse
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __rmatmul__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = __ne__ = _refuse


UNREAD: Any = _Unread()


def reads(rule: Rule | None, first: int) -> frozenset[int] | None:
    """Positions in ``(output, *inputs)`` that a rule reads; None means all of them (``*xs``).

    `first` is the position that the rule's second parameter stands for.
    """
    if rule is None:
        return frozenset()
    positional, _, rest, _ = declaration.parameters(rule) or ((), (), "rest", "")
    if rest and not rest.startswith("_"):
        return None
    return frozenset(first + i for i, name in enumerate(positional[1:]) if not name.startswith("_"))


class Primitive:
    """A named pure function of arrays that knows its derivatives.

    Parameters
    ----------
    name : str
        Its name, unique, in NumPy's spelling where NumPy has it.
    kernel : str or callable, optional
        The array function: a name in the array library (default: the primitive's own), or
        ``kernel(xp, *arrays, **meta)`` with the library as first argument.
    doc : str
        Docstring, where the primitive is itself a public function.
    """

    kind = "primitive"

    def __new__(cls, name: Any = None, *_: Any, **__: Any) -> Any:
        """Before a kind looks at the rules: see whose declaration this is, and whether the name is free."""
        module = declaration.declaring_module()
        declaration.check_name(name, REGISTRY, module)
        primitive = super().__new__(cls)
        primitive.__module__ = module
        return primitive

    def __init__(self, name: str, reads: Sequence[frozenset[int] | None], kernel: str | Rule | None, doc: str):
        self.name = self.__name__ = self.__qualname__ = name
        self.__doc__ = inspect.cleandoc(doc)
        self._kernel = kernel or name
        self._kernels: dict[type, Any] = dict.fromkeys(_SCALARS)  # array type -> bound kernel
        self._reads = reads
        self._varying = -1  # one bit for each argument by which there is a derivative: not for a mask
        self._savers: dict[tuple[int, int], Callable[[tuple[Any, ...]], tuple[Any, ...]]] = {}
        REGISTRY[name] = self

    def __repr__(self) -> str:
        return f"<{self.kind} primitive '{self.name}'>"

    def __reduce__(self) -> Any:
        if REGISTRY.get(self.name) is not self:
            raise pickle.PicklingError(f"the primitive {self.name!r} was declared anew since: it is known by its name")
        return named, (self.name, self.__module__)

    def __copy__(self) -> Primitive:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Primitive:
        return self

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else MethodType(self, instance)

    def __call__(self, *args: Any, **meta: Any) -> Any:
        """Compute on raw arrays; or, with a Tensor among the arguments, compute and record."""
        kernels = self._kernels
        kernel = None
        for x in args:
            if (found := kernels.get(type(x), _OTHER)) is not None:
                if found is _OTHER:
                    break
                kernel = found
        else:
            if kernel is not None:
                try:
                    return kernel(*args, **meta)
                except errors.OF_KERNELS as error:
                    raise errors.kernel_failed(self.name, args, meta, error) from error

        kernel = None
        arrays: list[Any] = []
        parents: list[Node | None] = []
        varying = self._varying
        mask = 0
        bit = 1
        is_tensor = True
        for x in args:
            node = None
            if isinstance(x, _tensor):
                node = x._node
                x = x._array
                if node is not None:
                    if varying & bit:
                        mask += bit
                    else:
                        node = None
            elif type(x) not in _NUMBERS:
                self._check_argument(args, x)
            bit += bit
            arrays.append(x)
            parents.append(node)
            if (found := kernels.get(type(x), _OTHER)) is not None and found is not kernel:
                kernel = found if kernel is None else _OTHER
        if kernel is None or kernel is _OTHER:
            arrays, kernel, is_tensor = self._admit(args)
        try:
            y = kernel(*arrays, **meta)
        except errors.OF_KERNELS as error:
            raise errors.kernel_failed(self.name, arrays, meta, error) from error
        if not is_tensor:
            return y
        if kernels.get(type(y)) is None and type(y) is not backend.of(y).array:
            y = backend.namespace(y).asarray(y)
        tensor = _new(_tensor)
        tensor._array = y
        mode = current.get()
        if mask and mode.recording:
            saver = self._savers.get((mask, len(arrays))) or self._saver(mask, len(arrays))
            tensor._node = Node(self, meta, saver((UNREAD, y, *arrays)), parents, y.shape, y.dtype)
        else:
            tensor._node = None
        if mode.watched:
            self._watch(mode, tensor, args, arrays)
        return tensor

    def pair(self, a: Any, b: Any) -> Any:
        """``self(a, b)`` by the short way of the operators: two tensors, or one and a number, on one device.

        Everything else (arrays beside tensors of another library, lists, a mode that inspects) goes the long way.
        """
        p = q = None
        x, y = a, b
        if isinstance(a, _tensor):
            p, x = a._node, a._array
        elif type(a) not in _NUMBERS:
            return self(a, b)
        if isinstance(b, _tensor):
            q, y = b._node, b._array
        elif type(b) not in _NUMBERS:
            return self(a, b)
        kernel = self._kernels.get(type(x)) or self._kernels.get(type(y))
        mode = current.get()
        if kernel is None or not (type(x) is type(y) or type(y) in _NUMBERS or type(x) in _NUMBERS) or mode.watched:
            return self(a, b)
        try:
            z = kernel(x, y)
        except errors.OF_KERNELS:
            return self(a, b)  # which says what is wrong
        if type(z) is not type(x) and type(z) is not type(y):
            z = backend.namespace(z).asarray(z)  # NumPy's scalars
        tensor = _new(_tensor)
        tensor._array = z
        tensor._node = None
        if (p is not None or q is not None) and mode.recording:
            mask = (p is not None) + 2 * (q is not None)
            saver = self._savers.get((mask, 2)) or self._saver(mask, 2)
            tensor._node = Node(self, {}, saver((UNREAD, z, x, y)), (p, q), z.shape, z.dtype)
        return tensor

    def _watch(self, mode: Mode, result: Any, args: Sequence[Any], arrays: Sequence[Any]) -> None:
        """Show an operation to those who want to see each."""
        if mode.journal is not None:
            mode.journal.reading(args)
        if mode.inspecting:
            anomaly.inspect_value(self.name, result._array, args)
            if result._node is not None:
                result._node.origin = anomaly.Origin(result._node.saved or ())

    # Binding to an array library, and the arguments that are not all arrays of one library.

    def _bind(self, array: Array) -> Callable[..., Array]:
        """The array function for the library of `array`."""
        library = backend.of(array)
        kernel = self._kernel
        if isinstance(kernel, str) and not hasattr(library.namespace, kernel):
            raise NotImplementedError(f"{self.name}: the library of {library.kind!r} arrays has no {kernel!r}")
        bound = getattr(library.namespace, kernel) if isinstance(kernel, str) else partial(kernel, library.namespace)
        self._kernels[library.array] = bound
        if library is not backend.HOST:
            bound = self._kernels[library.array] = partial(self._on_one_device, bound)
        return bound

    def _on_one_device(self, kernel: Callable[..., Array], *arrays: Any, **meta: Any) -> Array:
        """Run a kernel of a library that has several devices, after seeing that one of them holds everything."""
        places = {backend.device_of(x) for x in arrays if backend.is_array(x)}
        if len(places) > 1:
            raise self._mixed(arrays)
        with backend.for_device(place := places.pop()).on(place):
            return kernel(*arrays, **meta)

    def _mixed(self, args: Sequence[Any]) -> errors.DeviceError:
        places = []
        for position, x in enumerate(args):
            node = x._node if isinstance(x, Variable) else None
            name = getattr(node, "name", None) or getattr(x, "_name", None)
            array = x._array if isinstance(x, Variable) else x
            if backend.is_array(array):
                places.append((f"'{name}'" if name else f"argument {position}", backend.device_of(array)))
        return errors.mixed_devices(self.name, places)

    def _admit(self, args: Sequence[Any]) -> tuple[list[Any], Callable[..., Array], bool]:
        """Take the arguments apart where the fast path could not: a library's first array, lists, scalars, a mixture.

        Returns the arrays, the kernel, and whether the result is to be a Tensor.
        """
        arrays = [x._array if isinstance(x, Variable) else x for x in args]
        for position, x in enumerate(arrays):
            if isinstance(x, np.ndarray) and type(x) is not np.ndarray:
                if backend.has_own_rules(type(x)):
                    raise errors.special_array(self.name, type(x).__name__)
                arrays[position] = np.asarray(x)
        reference = next((x for x in arrays if backend.is_array(x)), None)
        is_tensor = any(isinstance(x, Variable) for x in args)
        for position, x in enumerate(arrays):
            if isinstance(x, (list, tuple)):
                arrays[position] = _from_list(self.name, position, x, reference)
                is_tensor = True
            elif not backend.is_array(x) and not isinstance(x, (float, int, np.generic)):
                raise errors.unsupported_argument(self.name, position, x)
        if len({backend.of(x).kind for x in arrays if backend.is_array(x)}) > 1:
            raise self._mixed(args)
        chosen = next((x for x in arrays if backend.is_array(x)), 0.0)
        kernel = self._kernels.get(backend.of(chosen).array) or self._bind(chosen)
        return arrays, kernel, is_tensor

    def _check_argument(self, args: Sequence[Any], x: Any) -> None:
        """Refuse numbers that a tensor cannot hold; beside tensors, arrays and scalars may be anything."""
        kind = getattr(getattr(x, "dtype", None), "kind", "f")
        if kind not in "biuf":
            position = next(i for i, other in enumerate(args) if other is x)
            raise errors.in_argument(self.name, position, errors.unsupported_dtype(x.dtype))

    # What is kept for the rules, and how it comes back.

    def _saver(self, mask: int, count: int) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
        """Pick, from ``(UNREAD, output, *inputs)``, what the rules of the inputs in `mask` read."""
        if count > len(self._reads):
            raise TypeError(f"{self.name}: called with {count} arrays; it has rules for {len(self._reads)}")
        kept: set[int] = set()
        for position in range(count):
            if mask >> position & 1:
                reads = self._reads[position]
                kept.update(range(count + 1) if reads is None else reads)
        saver = itemgetter(*[i + 1 if i in kept else 0 for i in range(count + 1)])
        self._savers[mask, count] = saver
        return saver

    def revive(self, node: Node, saved: tuple[Any, ...], live: Container[Node]) -> tuple[Any, ...]:
        """What a node saved, as Tensors that are attached to where they came from, so that rules record.

        What came from a node that is not `live` stays a raw array: a constant.
        """
        output, *inputs = saved
        revived = [wrap(output, node) if output is not UNREAD and node in live else output]
        for array, parent in zip(inputs, node.parents, strict=True):
            revived.append(wrap(array, parent) if array is not UNREAD and parent in live else array)
        return tuple(revived)

    # The two derivatives, which each kind answers for.

    common: Rule | None = None  # what the pulls of one cotangent have in common

    def prepare(self, node: Node, g: Any, saved: tuple[Any, ...]) -> tuple[Any, ...]:
        """What the pulls get of a cotangent `g`: what was saved, and with it what they have in common."""
        return saved

    def pull(self, node: Node, position: int, g: Any, saved: tuple[Any, ...]) -> Any:
        """The cotangent of input `position`, from the cotangent `g` of the output."""
        raise NotImplementedError

    def push(self, node: Node, tangents: Sequence[Any], saved: tuple[Any, ...]) -> Any:
        """The tangent of the output, from those of the inputs (None where there is none)."""
        raise NotImplementedError


def operand(function: str, x: Any, beside: Any = None, position: int | str = 0) -> Any:
    """`x` itself if it has a shape; a list or a number as a Tensor, which gives way to the operand `beside` it."""
    if isinstance(x, _tensor):
        return x
    if hasattr(x, "shape"):
        dtype = getattr(x, "dtype", None)
        if getattr(dtype, "kind", "f") not in "biuf":  # a node's template has a shape and a dtype, a stand-in may not
            raise errors.in_argument(function, position, errors.unsupported_dtype(dtype))
        return x
    if isinstance(x, (list, tuple, int, float)):
        beside = getattr(beside, "_array", beside)
        return wrap(_from_list(function, position, x, beside if backend.is_array(beside) else None))
    raise errors.unsupported_argument(function, position, x)


def _from_list(function: str, position: int | str, values: Any, reference: Array | None) -> Array:
    """A list as an array; beside a floating array its numbers take that one's dtype, as Python's numbers do."""
    try:
        array = array_from_data(values, None)
    except (TypeError, ValueError) as error:
        raise errors.in_argument(function, position, error) from None
    if reference is None:
        return array
    if reference.dtype.kind == "f" and array.dtype.kind in "if":
        array = array_from_data(values, reference.dtype)
    return backend.to_device(array, backend.device_of(reference))


def named(name: str, module: str = "") -> Primitive:
    """The primitive of that name; an unpickled primitive is the registered one itself, declared by `module`."""
    if name not in REGISTRY and module not in ("", "__main__"):
        importlib.import_module(module)  # where it is declared
    if name not in REGISTRY:
        raise LookupError(f"no primitive named {name!r} is declared; run its declaration (in {module!r}) first")
    return REGISTRY[name]


def ours() -> dict[str, Primitive]:
    """The primitives of the package itself, by name: without those that its users have declared."""
    return {name: primitive for name, primitive in REGISTRY.items() if declaration.is_ours(primitive.__module__)}
