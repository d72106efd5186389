"""Functional updates, JAX's ``t.at[index].set(value)``: a new tensor, through which derivatives flow to both.

The index is anything that `getitem` takes, and the value broadcasts to what stands there. An index may name an element
several times: then sums add up, products multiply, extremes meet, and of several values to set the last one stays, as
in NumPy. That order is ours to keep, since on a GPU ``a[i] = v`` leaves open which one stays.
"""

from __future__ import annotations

from typing import Any

from .. import backend, errors
from ..core.kinds import General, Linear, broadcast_to, cast
from ..core.primitive import operand
from ..core.tape import Variable
from . import arithmetic
from .arguments import as_type
from .choice import where
from .comparison import equal
from .index import add_repeatedly, atomic, canonical, pick, picks_once, positions, scatter_add
from .precision import wider
from .shape import broadcasts, ravel

__all__: list[str] = []  # `Tensor.at` is the way in

Index = tuple[Any, ...]


def _written(method: str) -> Any:
    """A kernel that computes in a copy: at once where elements are named once, else by ``ufunc.at``."""

    def kernel(xp: Any, t: Any, v: Any, *, index: Index) -> Any:
        out = xp.array(t, dtype=atomic(t.dtype))
        if picks_once(index):
            out[index] = getattr(xp, method)(out[index], v)
        elif method == "add":
            add_repeatedly(xp, out, index, v.astype(out.dtype))
        elif out.size and v.size:
            getattr(xp, method).at(out, index, v.astype(out.dtype))
        return out.astype(t.dtype, copy=False)

    return kernel


def _put_kernel(xp: Any, t: Any, v: Any, *, index: Index) -> Any:
    out = xp.array(t)
    out[index] = v
    return out


_put: Linear = Linear(
    "put",
    lambda g, like, *, index, position: pick(g, index=index) if position else _clear(g, index=index),
    kernel=_put_kernel,
    variadic=True,
)
_clear: Linear = Linear(
    "clear",
    lambda g, like, *, index: _clear(g, index=index),
    kernel=lambda xp, x, *, index: _put_kernel(xp, x, 0, index=index),
)
_add: Linear = Linear(
    "add_at",
    lambda g, like, *, index, position: pick(g, index=index) if position else g,
    kernel=_written("add"),
    variadic=True,
)


def _extreme_at(name: str, method: str) -> General:
    """The extreme of an element and the values for it; what is tied shares the derivative equally, as in max."""

    def shares(y: Any, t: Any, v: Any, index: Index) -> tuple[Any, Any]:
        dtype = wider(y.dtype)
        there = cast(equal(v, pick(y, index=index)), dtype=dtype)
        named = scatter_add(there * 0.0 + 1.0, shape=y.shape, index=index) > 0
        here = where(named, cast(equal(t, y), dtype=dtype), 1.0)
        count = here + scatter_add(there, shape=y.shape, index=index)
        return here / count, there / pick(count, index=index)

    def to_tensor(g: Any, y: Any, t: Any, v: Any, *, index: Index) -> Any:
        return g * shares(y, t, v, index)[0]

    def push_value(tangent: Any, y: Any, t: Any, v: Any, *, index: Index) -> Any:
        return scatter_add(tangent * shares(y, t, v, index)[1], shape=y.shape, index=index)

    def pull_value(g: Any, y: Any, t: Any, v: Any, *, index: Index) -> Any:
        return pick(g, index=index) * shares(y, t, v, index)[1]

    return General(name, [to_tensor, push_value], [to_tensor, pull_value], kernel=_written(method))


_max = _extreme_at("max_at", "maximum")
_min = _extreme_at("min_at", "minimum")


def _checked(method: str, t: Any, index: Any, value: Any) -> tuple[Any, Any, Index]:
    """The tensor, the value in its dtype, and the index in its canonical form."""
    name = f"at[...].{method}"
    t = operand(name, t)
    v = operand(name, value, t)
    index = canonical(t, index)
    array = t._array if isinstance(t, Variable) else t
    if not backend.namespace(array).can_cast(v.dtype, t.dtype, "same_kind"):
        raise TypeError(
            f"{name}: values of {v.dtype} do not fit into a tensor of {t.dtype}, whose dtype the result keeps. Write "
            f"t.astype({v.dtype}) first, or cast the value."
        )
    there = tuple(pick(array, index=index).shape)
    if not broadcasts(v.shape, there):
        raise errors.ShapeError(
            f"{name}: a value of shape {tuple(v.shape)} does not broadcast to the shape {there} of what this index "
            "picks"
        )
    v = as_type(v, t.dtype)
    return t, v if tuple(v.shape) == there or picks_once(index) else broadcast_to(v, shape=there), index


def _in_order(t: Any, v: Any, index: Index) -> tuple[Any, Any]:
    """The values, and the places in the ravelled tensor that they are for, sorted; the order within a place stays."""
    array = t._array if isinstance(t, Variable) else t
    xp = backend.namespace(array)
    places = positions(xp, tuple(array.shape), index).reshape(-1)
    order = xp.argsort(places, kind="stable")
    return pick(ravel(v), index=(order,)), places[order]


def _put_in_order(t: Any, v: Any, places: Any) -> Any:
    return _put(ravel(t), v, index=(places,)).reshape(tuple(t.shape))


def _last(v: Any, places: Any) -> tuple[Any, Any]:
    """Of the values for each place the last one."""
    xp = backend.namespace(places)
    chosen = xp.nonzero(xp.concatenate([places[1:] != places[:-1], xp.ones(1, dtype="bool")]))[0]
    return pick(v, index=(chosen,)), places[chosen]


def _product(v: Any, places: Any) -> tuple[Any, Any]:
    """The product of the values for each place: neighbours are multiplied until every place has one value."""
    xp = backend.namespace(places)
    while True:
        count = places.size
        rank = xp.arange(count) - xp.searchsorted(places, places)
        even = xp.nonzero(rank % 2 == 0)[0]
        if even.size == count:
            return v, places
        after = xp.minimum(even + 1, count - 1)
        paired = (after > even) & (places[after] == places[even])
        v = pick(v, index=(even,)) * where(paired, pick(v, index=(after,)), 1)
        places = places[even]


def set_at(t: Any, index: Any, value: Any) -> Any:
    """`value` in the place of the elements at `index`."""
    t, v, index = _checked("set", t, index, value)
    if picks_once(index) or not v.size:
        return _put(t, v, index=index)
    with backend.beside(t._array if isinstance(t, Variable) else t):
        return _put_in_order(t, *_last(*_in_order(t, v, index)))


def add_at(t: Any, index: Any, value: Any) -> Any:
    """`value` added to the elements at `index`, once for each time that one is named."""
    t, v, index = _checked("add", t, index, value)
    return _add(t, v, index=index)


def subtract_at(t: Any, index: Any, value: Any) -> Any:
    """`value` subtracted from the elements at `index`, once for each time that one is named."""
    t, v, index = _checked("subtract", t, index, value)
    return _add(t, -v, index=index)


def min_at(t: Any, index: Any, value: Any) -> Any:
    """The smallest of each element at `index` and the values for it."""
    t, v, index = _checked("min", t, index, value)
    return _min(t, v, index=index)


def max_at(t: Any, index: Any, value: Any) -> Any:
    """The largest of each element at `index` and the values for it."""
    t, v, index = _checked("max", t, index, value)
    return _max(t, v, index=index)


def multiply_at(t: Any, index: Any, value: Any) -> Any:
    """The elements at `index` times `value`, once for each time that one is named."""
    return _with_product("multiply", t, index, value)


def divide_at(t: Any, index: Any, value: Any) -> Any:
    """The elements at `index` divided by `value`, once for each time that one is named."""
    return _with_product("divide", t, index, value)


def power_at(t: Any, index: Any, value: Any) -> Any:
    """The elements at `index` to the power of `value`, once for each time that one is named."""
    return _with_product("power", t, index, value)


def _with_product(method: str, t: Any, index: Any, value: Any) -> Any:
    """``(x ∘ v₁) ∘ v₂ = x ∘ v₁v₂`` for products, quotients and powers: repeated values are multiplied first."""
    t, v, index = _checked(method, t, index, value)
    if method == "divide" and t.dtype.kind != "f":
        raise TypeError(f"at[...].divide: quotients do not fit into a tensor of {t.dtype}. Write t.astype(tg.float32).")
    operation = getattr(arithmetic, method)
    if picks_once(index) or not v.size:
        return _put(t, as_type(operation(pick(t, index=index), v), t.dtype), index=index)
    with backend.beside(t._array if isinstance(t, Variable) else t):
        v, places = _product(*_in_order(t, v, index))
        return _put_in_order(t, as_type(operation(pick(ravel(t), index=(places,)), v), t.dtype), places)


class At:
    """What stands before the brackets of ``t.at[index]``."""

    __slots__ = ("_tensor",)

    def __init__(self, tensor: Any) -> None:
        self._tensor = tensor

    def __getitem__(self, index: Any) -> Place:
        return Place(self._tensor, index)


class Place:
    """Elements of a tensor, to be read, or to be changed in a copy of it."""

    __slots__ = ("_index", "_tensor")

    def __init__(self, tensor: Any, index: Any) -> None:
        self._tensor, self._index = tensor, index

    def get(self) -> Any:
        """The elements themselves: ``t[index]``."""
        return self._tensor[self._index]

    def set(self, value: Any) -> Any:
        """A copy with `value` there; where an element is named several times, the last value stays.

        Examples
        --------
        >>> tg.zeros(3).at[[0, 2, 2]].set([1.0, 2.0, 3.0])
        tensor([1., 0., 3.])
        """
        return set_at(self._tensor, self._index, value)

    def add(self, value: Any) -> Any:
        """A copy with `value` added there, once for each time that an element is named.

        Examples
        --------
        >>> tg.zeros(3).at[[0, 2, 2]].add(1.0)
        tensor([1., 0., 2.])
        """
        return add_at(self._tensor, self._index, value)

    def subtract(self, value: Any) -> Any:
        """A copy with `value` subtracted there, once for each time that an element is named."""
        return subtract_at(self._tensor, self._index, value)

    def multiply(self, value: Any) -> Any:
        """A copy with these elements multiplied by `value`, once for each time that one is named."""
        return multiply_at(self._tensor, self._index, value)

    def divide(self, value: Any) -> Any:
        """A copy with these elements divided by `value`, once for each time that one is named."""
        return divide_at(self._tensor, self._index, value)

    def power(self, value: Any) -> Any:
        """A copy with these elements to the power of `value`, once for each time that one is named."""
        return power_at(self._tensor, self._index, value)

    def min(self, value: Any) -> Any:
        """A copy with the smallest of each of these elements and the values for it; ties share the derivative."""
        return min_at(self._tensor, self._index, value)

    def max(self, value: Any) -> Any:
        """A copy with the largest of each of these elements and the values for it; ties share the derivative."""
        return max_at(self._tensor, self._index, value)
