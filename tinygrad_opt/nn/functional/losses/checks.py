"""What losses ask of their arguments, and the reduction that they end with."""

from __future__ import annotations

import math
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

from .... import backend, errors, ops
from ....core.dtypes import float16
from ....core.primitive import operand
from ....ops.arguments import as_type, wide
from ....ops.checks import one_of
from ....ops.shape import broadcasts

__all__ = [
    "REDUCTIONS", "beside_each_other", "chances", "check_power", "check_reduction", "checked", "coins",
    "element_weight", "pair", "reduced", "same_shape", "scores_of", "signs",
]  # fmt: skip

REDUCTIONS = ("mean", "sum", "none")

# Options. A loss has them checked when it is made, in its own name, and its function when it is called.

_NUMBERS: dict[str, tuple[str, Callable[[float], bool]]] = {
    "beta": ("a number that is not negative", lambda x: 0 <= x < math.inf),
    "delta": ("a positive number", lambda x: 0 < x < math.inf),
    "eps": ("a positive number", lambda x: 0 < x < math.inf),
    "label_smoothing": ("a number from 0 to 1", lambda x: 0 <= x <= 1),
    "margin": ("a finite number", math.isfinite),
    "p": ("a number, 1 or more", lambda x: x >= 1),
}


def checked(function: str, **options: Any) -> list[Any]:
    """The options, if they are what they have to be; NumPy's numbers as Python's, which decide no dtype."""
    return [_checked(function, name, value) for name, value in options.items()]


def _checked(function: str, name: str, value: Any) -> Any:
    if name in _NUMBERS:
        expected, fits = _NUMBERS[name]
        plain = type(value) in (int, float)  # asking an abstract class takes longer than all the rest
        if (not plain and (isinstance(value, bool) or not isinstance(value, Real))) or not fits(float(value)):
            raise ValueError(f"{function}: {name} must be {expected}; got {value!r}")
        return value if isinstance(value, int) else float(value)
    if name == "ignore_index":
        if type(value) is not int and (isinstance(value, bool) or not isinstance(value, Integral)):
            raise TypeError(f"{function}: ignore_index must be a whole number; got {value!r}")
        return int(value)
    if not isinstance(value, bool):
        raise TypeError(f"{function}: {name} must be True or False; got {value!r}")
    return value


def check_power(function: str, p: Any) -> None:
    """Refuse powers other than 1 and 2."""
    if isinstance(p, bool) or not isinstance(p, Real) or float(p) not in (1.0, 2.0):
        raise ValueError(f"{function}: p must be 1 or 2; got {p!r}")


def check_reduction(function: str, reduction: Any, more: tuple[str, ...] = ()) -> None:
    """Refuse a reduction that there is not."""
    one_of(function, "reduction", reduction, REDUCTIONS + more)


# Tensors.


def beside_each_other(function: str, **arrays: Any) -> None:
    """Refuse arrays of different devices in the name of the function, not of the operation that they meet in."""
    raw = [getattr(x, "_array", x) for x in arrays.values()]
    if all(type(x) is backend.HOST.array for x in raw):
        return
    places = [backend.device_of(x) for x in raw]
    if len(set(places)) > 1:
        raise errors.mixed_devices(function, zip(arrays, places, strict=True))


def same_shape(function: str, prediction: Any, target: Any, names: tuple[str, str] = ("prediction", "target")) -> None:
    """Refuse two shapes that are not one."""
    if prediction.shape == target.shape:
        return
    p, t = tuple(prediction.shape), tuple(target.shape)
    said = f"{function}: {names[0]} {p}, {names[1]} {t}. "
    if any(n != m and 1 not in (n, m) for n, m in zip(p[::-1], t[::-1], strict=False)):
        raise errors.ShapeError(f"{said}The shapes must be equal.")
    if math.prod(p) == math.prod(t):
        sides = ", ".join(map(str, p)) or "()"
        raise errors.ShapeError(f"{said}Broadcasting would compare every pair: use {names[1]}.reshape({sides}).")
    raise errors.ShapeError(
        f"{said}The shapes must be equal. Broadcasting would repeat values; if that is meant, write it: "
        f"tg.broadcast_to({names[1]}, {p})."
    )


def scores_of(function: str, x: Any, beside: Any, name: str = "prediction") -> Any:
    """What a model says: floating numbers."""
    x = operand(function, x, beside if hasattr(beside, "dtype") else None, name)
    if x.dtype.kind != "f":
        raise TypeError(
            f"{function}: {name} {'are' if name.endswith('s') else 'must be'} floating numbers, of which derivatives "
            f"are taken; got {x.dtype}. Write {name}.astype(tg.float32). (The prediction comes first, then the target.)"
        )
    return x


def pair(
    function: str, prediction: Any, target: Any, names: tuple[str, str] = ("prediction", "target")
) -> tuple[Any, Any, Any]:
    """A prediction and a target that belong together one for one, both floating, and the dtype of their loss.

    Targets that are whole numbers or truth values take the dtype of the prediction. In float16 losses would soon leave
    the range: they are computed in float32.
    """
    prediction = scores_of(function, prediction, target, names[0])
    target = operand(function, target, prediction, names[1])
    same_shape(function, prediction, target, names)
    beside_each_other(function, **{names[0]: prediction, names[1]: target})
    dtype = prediction.dtype
    if target.dtype.kind != "f":
        target = as_type(target, dtype)
    if float16 not in (dtype, target.dtype):
        return prediction, target, None
    return wide(prediction), wide(target), dtype if dtype == target.dtype else None


def reduced(function: str, losses: Any, reduction: str, dtype: Any) -> Any:
    """The mean or the sum of losses, or all of them, in that dtype (None: in the one that they have)."""
    if reduction == "mean":
        if losses.size == 0:
            raise errors.ShapeError(f"{function}: the mean over an empty batch has no value")
        losses = ops.mean(losses)
    elif reduction == "sum":
        losses = ops.sum(losses)
    return as_type(losses, dtype)


def element_weight(function: str, weight: Any, like: Any, name: str = "weight") -> Any:
    """Weights of elements: floating numbers, no more of them than there are elements."""
    weight = operand(function, weight, like, name)
    if weight.dtype.kind == "b" or not broadcasts(weight.shape, like.shape):
        raise errors.ShapeError(
            f"{function}: {name} must be numbers that broadcast to the shape {tuple(like.shape)} of the prediction; "
            f"got {tuple(weight.shape)} {weight.dtype}"
        )
    beside_each_other(function, prediction=like, **{name: weight})
    return as_type(weight, like.dtype)


# On a GPU these wait for the values.


def chances(function: str, p: Any) -> None:
    """Refuse predicted probabilities outside 0 … 1; nan comes through."""
    bad = _outside(p)
    if bad is not None:
        raise ValueError(
            f"{function}: probabilities must be between 0 and 1; got {bad:g}. For logits there is "
            "binary_cross_entropy_with_logits."
        )


def coins(function: str, target: Any) -> None:
    """Refuse labels other than 0 and 1. Fractions are probabilities, and may be moved a little when differentiated."""
    bad = _outside(target)
    if bad is not None and _whole(target):
        raise ValueError(f"{function}: targets must be between 0 and 1; got {bad:g}. From -1 and 1: (target + 1) / 2")


def signs(function: str, target: Any, strict: bool = False) -> None:
    """Refuse labels other than 1 and -1; without `strict`, fractions come through."""
    array = getattr(target, "_array", target)
    with backend.beside(array):
        fits = array.dtype.kind != "b" and bool((abs(array) == 1).all())
    if not fits and (strict or _whole(target)):
        raise ValueError(f"{function}: targets must be 1 or -1. From labels 0 and 1: 2 * target - 1")


def _outside(values: Any) -> float | None:
    """A value below 0 or above 1, where there is one."""
    array = getattr(values, "_array", values)
    with backend.beside(array):
        ends = (float(array.min()), float(array.max())) if array.size else ()
    return next((x for x in ends if x < 0 or x > 1), None)


def _whole(values: Any) -> bool:
    """Whether all values are whole numbers."""
    array = getattr(values, "_array", values)
    with backend.beside(array):
        return bool((array == backend.namespace(array).rint(array)).all())
