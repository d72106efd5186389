"""States: what a module consists of, by name, and how another one's values come in, as a whole or not at all.

A value is never changed on the way in without being asked for. A cast that keeps every value (float32 into float64)
is done; one that could lose digits (float64 into float32) is refused, because the model would not be the one that was
saved, unless the caller says ``cast=True``. A value that would leave the range of its new dtype is refused always.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import backend, errors
from ..core.tensor import Tensor
from .walking import Holder, is_state, walk

__all__ = ["Loaded", "load", "named_state"]

Array = Any


class Loaded(NamedTuple):
    """What `load_state_dict` did not use: names that the module has and the state lacks, and the other way round."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def named_state(module: Holder) -> dict[str, Tensor]:
    """The parameters and buffers that make up a module's state; what is shared stands under each of its names."""
    found: dict[str, Tensor] = {}
    for name, part in walk(module, saved=True):
        if is_state(part) and found.setdefault(name, part) is not part:
            raise ValueError(
                f"{type(module).__name__}: two tensors are called '{name}': a dict has keys such as 1 and '1', or a "
                "name contains a dot"
            )
    return found


def load(module: Holder, state: Mapping[str, Any], strict: bool, assign: bool, cast: bool) -> Loaded:
    """What `Module.load_state_dict` does."""
    if not isinstance(state, Mapping):
        raise TypeError(
            f"load_state_dict: expected a mapping from names to tensors; got {type(state).__name__}. To load a file "
            "write tg.train.load_weights(model, path)."
        )
    own = named_state(module)
    missing, unexpected = [name for name in own if name not in state], [name for name in state if name not in own]
    given = {id(own[name]) for name in state if name in own}
    missing = [name for name in missing if id(own[name]) not in given]  # else it comes in under its other name
    problems = [f"missing: '{name}'" for name in missing] if strict else []
    problems += [f"unexpected: '{name}'{_meant(name, missing)}" for name in unexpected] if strict else []
    values: dict[str, Tensor] = {}
    for name in own:
        if name in state:
            try:
                values[name] = _fitting(own[name], _as_tensor(state[name]), assign, cast)
            except (TypeError, ValueError, BufferError) as error:
                problems.append(f"'{name}': {error}")
    problems += _contradictions(own, values)
    if problems:
        raise errors.ShapeError(
            f"load_state_dict: the state does not fit {type(module).__name__}, nothing was loaded:\n  "
            + "\n  ".join(problems)
        )
    _put(own, values, assign)
    return Loaded(missing, unexpected)


def _meant(name: Any, missing: list[str]) -> str:
    """A hint, where a name that came in is almost one that is missing."""
    name = str(name)
    close = difflib.get_close_matches(name, missing, n=1, cutoff=0.75)
    same_end = [other for other in missing if other.endswith(f".{name}") or name.endswith(f".{other}")]
    meant = (same_end or close)[:1]
    return f" (for '{meant[0]}'?)" if meant else ""


def _as_tensor(value: Any) -> Tensor:
    """A value of a state as a tensor: ours, an array, or what another library shares by DLPack."""
    if isinstance(value, Tensor):
        return value.detach()
    if not backend.is_array(value) and hasattr(value, "__dlpack__"):
        value = value.detach() if hasattr(value, "detach") else value
        value = value.float() if str(getattr(value, "dtype", "")) == "torch.bfloat16" else value
        value = value.cpu() if hasattr(value, "cpu") else value
        value = backend.HOST.namespace.from_dlpack(value)
    elif getattr(getattr(value, "dtype", None), "name", "") == "bfloat16":
        value = value.astype("float32")
    return Tensor(value)


def _fitting(own: Tensor, value: Tensor, assign: bool, cast: bool) -> Tensor:
    """The value in the dtype that it is to have, or an error that says why it does not fit."""
    what = f"expected {own.shape} {own.dtype}, got {value.shape} {value.dtype}"
    if value.shape != own.shape:
        raise ValueError(what)
    if value.dtype == own.dtype or (assign and value.dtype.kind == own.dtype.kind):
        return value
    xp = backend.HOST.namespace
    if xp.can_cast(value.dtype, own.dtype, "safe"):
        return value.to(own.dtype)
    if not xp.can_cast(value.dtype, own.dtype, "same_kind"):
        raise TypeError(what)
    if not cast:
        raise TypeError(
            f"{what}, which could lose digits: pass cast=True to allow that, or write model.to('{value.dtype}') first"
        )
    return _narrowed(value, own.dtype, what)


def _narrowed(value: Tensor, dtype: Any, what: str) -> Tensor:
    """The value in a dtype of less range, on the host."""
    array, xp = backend.of(value._array).to_host(value._array), backend.HOST.namespace
    with xp.errstate(all="ignore"):
        cast = array.astype(dtype)
    kept = xp.isfinite(cast) == xp.isfinite(array) if dtype.kind == "f" else cast == array
    if not kept.all():
        raise ValueError(f"{what}; some of its values are outside the range of {dtype}")
    return Tensor(cast)


def _contradictions(own: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> list[str]:
    """Names of one tensor for which a state has different values."""
    first: dict[int, str] = {}
    problems = []
    for name, value in values.items():
        other = first.setdefault(id(own[name]), name)
        if other != name and not _equal(values[other], value):
            problems.append(f"'{other}' and '{name}' are one tensor here, and the state has different values for them")
    return problems


def _equal(a: Tensor, b: Tensor) -> bool:
    if a._array is b._array:
        return True
    x, y = (backend.of(t._array).to_host(t._array) for t in (a, b))
    return bool(((x == y) | ((x != x) & (y != y))).all())


def _put(own: Mapping[str, Tensor], values: Mapping[str, Tensor], assign: bool) -> None:
    """Write the values, or (`assign`) let the module's tensors hold the arrays themselves."""
    ours = {id(part._array): name for name, part in own.items()}
    for name, value in values.items():  # a state may hold this module's own arrays under other names
        if id(value._array) in ours and value._array is not own[name]._array and not assign:
            values = {**values, name: value.clone()}
    for name, value in values.items():
        part = own[name]
        if not assign:
            part.data = backend.to_device(value._array, part.device)
        elif part._array is not value._array:
            part.rehome(value._array)
