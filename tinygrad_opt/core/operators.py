"""What an array offers beside its values: operators, indexing, and the functions that read naturally as methods.

Written out line by line, so that type checkers and readers see them. A method is the public function itself, with the
tensor as its first argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from .. import errors, ops
from ..ops.updates import At
from .tape import Leaf, Variable

if TYPE_CHECKING:
    from .tensor import Tensor

__all__ = ["Operators"]

_add, _subtract, _multiply, _divide = ops.add.pair, ops.subtract.pair, ops.multiply.pair, ops.divide.pair


class Operators(Variable):
    """The base of Tensor that computes."""

    __slots__ = ()

    # Arithmetic.

    def __add__(self, other: Any) -> Tensor:
        return _add(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return _add(other, self)

    def __sub__(self, other: Any) -> Tensor:
        return _subtract(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return _subtract(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return _multiply(self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return _multiply(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return _divide(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return _divide(other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return ops.floor_divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return ops.remainder(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return ops.remainder(other, self)

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return ops.floor_divide(self, other), ops.remainder(self, other)

    def __rdivmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return ops.floor_divide(other, self), ops.remainder(other, self)

    def __pow__(self, other: Any) -> Tensor:
        if type(other) in (int, float) and other == 2:  # not NumPy's scalars, which promote
            return ops.square(self)
        return ops.power(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return ops.power(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return ops.matmul(other, self)

    def __neg__(self) -> Tensor:
        return ops.negative(self)

    def __pos__(self) -> Operators:
        return self

    def __abs__(self) -> Tensor:
        return ops.absolute(self)

    def __round__(self, ndigits: int | None = None) -> Tensor:
        return ops.round(self, ndigits or 0)

    def __floor__(self) -> Tensor:
        return ops.floor(self)

    def __ceil__(self) -> Tensor:
        return ops.ceil(self)

    def __trunc__(self) -> Tensor:
        return ops.trunc(self)

    # Logic on booleans, on the bits of whole numbers.

    def __and__(self, other: Any) -> Tensor:
        return ops.bitwise_and(self, other)

    def __rand__(self, other: Any) -> Tensor:
        return ops.bitwise_and(other, self)

    def __or__(self, other: Any) -> Tensor:
        return ops.bitwise_or(self, other)

    def __ror__(self, other: Any) -> Tensor:
        return ops.bitwise_or(other, self)

    def __xor__(self, other: Any) -> Tensor:
        return ops.bitwise_xor(self, other)

    def __rxor__(self, other: Any) -> Tensor:
        return ops.bitwise_xor(other, self)

    def __invert__(self) -> Tensor:
        return ops.invert(self)

    # `t += u` gives the name t to a new tensor; what is saved stays as it was.

    def __iadd__(self, other: Any) -> Tensor:
        return self._renamed("+=").__add__(other)

    def __isub__(self, other: Any) -> Tensor:
        return self._renamed("-=").__sub__(other)

    def __imul__(self, other: Any) -> Tensor:
        return self._renamed("*=").__mul__(other)

    def __itruediv__(self, other: Any) -> Tensor:
        return self._renamed("/=").__truediv__(other)

    def __ifloordiv__(self, other: Any) -> Tensor:
        return self._renamed("//=").__floordiv__(other)

    def __imod__(self, other: Any) -> Tensor:
        return self._renamed("%=").__mod__(other)

    def __ipow__(self, other: Any) -> Tensor:
        return self._renamed("**=").__pow__(other)

    def __imatmul__(self, other: Any) -> Tensor:
        return self._renamed("@=").__matmul__(other)

    def _renamed(self, sign: str) -> Operators:
        """The tensor itself, unless its leaf would be lost: the name would go to a result, the leaf keep its value."""
        if isinstance(self._node, Leaf):
            raise errors.leaf_renamed(sign)
        return self

    # Comparisons.

    def __lt__(self, other: Any) -> Tensor:
        return ops.less(self, other)

    def __le__(self, other: Any) -> Tensor:
        return ops.less_equal(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return ops.greater(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return ops.greater_equal(self, other)

    def __eq__(self, other: Any) -> Tensor:  # type: ignore[override]
        if other is None:  # `x == None` asks whether there is a tensor at all
            return NotImplemented
        return ops.equal(self, other)

    def __ne__(self, other: Any) -> Tensor:  # type: ignore[override]
        if other is None:
            return NotImplemented
        return ops.not_equal(self, other)

    __hash__ = Variable.__hash__  # by identity, as the key of a dict or a member of a set

    # Indexing.

    def __getitem__(self, index: Any) -> Tensor:
        return ops.getitem(self, index)

    @property
    def at(self) -> At:
        """Functional updates: ``t.at[index].set(value)``, and add, multiply, min, max, ... in the place of set."""
        return At(self)

    def __setitem__(self, index: Any, value: Any) -> NoReturn:
        raise errors.item_assignment()

    # Functions of elements.

    abs = ops.abs
    absolute = ops.absolute
    arccos = ops.arccos
    arccosh = ops.arccosh
    arcsin = ops.arcsin
    arcsinh = ops.arcsinh
    arctan = ops.arctan
    arctan2 = ops.arctan2
    arctanh = ops.arctanh
    ceil = ops.ceil
    clip = ops.clip
    cos = ops.cos
    cosh = ops.cosh
    erf = ops.erf
    erfc = ops.erfc
    exp = ops.exp
    exp2 = ops.exp2
    expm1 = ops.expm1
    floor = ops.floor
    isfinite = ops.isfinite
    isinf = ops.isinf
    isnan = ops.isnan
    log = ops.log
    log10 = ops.log10
    log1p = ops.log1p
    log2 = ops.log2
    maximum = ops.maximum
    minimum = ops.minimum
    nan_to_num = ops.nan_to_num
    reciprocal = ops.reciprocal
    relu = ops.relu
    round = ops.round
    rsqrt = ops.rsqrt
    sigmoid = ops.sigmoid
    sign = ops.sign
    sin = ops.sin
    sinc = ops.sinc
    sinh = ops.sinh
    softplus = ops.softplus
    sqrt = ops.sqrt
    square = ops.square
    tan = ops.tan
    tanh = ops.tanh
    trunc = ops.trunc

    # Indexing and order.

    argsort = ops.argsort
    nonzero = ops.nonzero
    sort = ops.sort
    take = ops.take

    # Reductions.

    all = ops.all
    any = ops.any
    argmax = ops.argmax
    argmin = ops.argmin
    cumprod = ops.cumprod
    cumsum = ops.cumsum
    logsumexp = ops.logsumexp
    max = ops.max
    mean = ops.mean
    median = ops.median
    min = ops.min
    norm = ops.norm
    prod = ops.prod
    ptp = ops.ptp
    std = ops.std
    sum = ops.sum
    var = ops.var

    # Products.

    dot = ops.dot
    matmul = ops.matmul

    # Shapes, and the type of the elements.

    astype = ops.astype
    broadcast_to = ops.broadcast_to
    diagonal = ops.diagonal
    flatten = ops.ravel
    flip = ops.flip
    moveaxis = ops.moveaxis
    ravel = ops.ravel
    repeat = ops.repeat
    roll = ops.roll
    split = ops.split
    squeeze = ops.squeeze
    swapaxes = ops.swapaxes
    tile = ops.tile
    trace = ops.trace
    tril = ops.tril
    triu = ops.triu
    unstack = ops.unstack

    def reshape(self, *shape: Any, order: str = "C", copy: bool | None = None) -> Tensor:
        """See `tinygrad_opt.reshape`; the shape may be given as one tuple or as several integers."""
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape, order, copy=copy)

    def transpose(self, *axes: Any) -> Tensor:
        """See `tinygrad_opt.transpose`; the axes may be given as one tuple or as several integers."""
        return ops.transpose(self, axes[0] if len(axes) == 1 else axes or None)
