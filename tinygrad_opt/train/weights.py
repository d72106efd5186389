"""A model's state in a file, which other frameworks can read, and which can be read from theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import backend, errors
from ..core.tensor import Tensor
from ..nn.module import Module
from ..nn.states import Loaded
from . import container, files

__all__ = ["CHECKPOINT", "distinct", "load_weights", "save_weights", "with_shared"]

CHECKPOINT = "checkpoint"  # the note that makes a file one


def save_weights(model: Any, path: Any) -> None:
    """Write parameters and buffers into a safetensors file, complete or not at all.

    A tensor with several names is written once; the file notes the others, as ``safetensors.torch.save_model`` does.
    PyTorch reads the file with ``model.load_state_dict(safetensors.torch.load_file(path))``, or, where weights are
    shared, with ``safetensors.torch.load_model(model, path)``.

    Parameters
    ----------
    model : Module, or mapping of str to tensor
        A mapping is written as it is: a state taken at an earlier moment, say.
    path : path
        The usual suffix is ``.safetensors``. A file that is there is replaced.

    Examples
    --------
    >>> import tempfile
    >>> model, other = tg.nn.Linear(2, 3), tg.nn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tg.train.save_weights(model, f"{folder}/linear.safetensors")
    ...     tg.train.load_weights(other, f"{folder}/linear.safetensors")
    Loaded(missing_keys=[], unexpected_keys=[])
    >>> other.weight.tolist() == model.weight.tolist()
    True
    """
    state = model.state_dict() if isinstance(model, Module) else model
    if not isinstance(state, Mapping):
        raise TypeError(f"save_weights: expected a Module or a state_dict; got {type(model).__name__}")
    arrays, shared = distinct("save_weights", state)
    files.write(path, container.pack(arrays, shared))


def load_weights(model: Module, path: Any, strict: bool = True, *, cast: bool = False) -> Loaded:
    """Read a safetensors file into a model's parameters and buffers; nothing is changed unless everything fits.

    The file may come from PyTorch: ``safetensors.torch.save_file(model.state_dict(), path)`` or
    ``safetensors.torch.save_model(model, path)``. bfloat16 is read as float32.

    Parameters
    ----------
    model : Module
        Its tensors keep their device and their dtype.
    path : path
    strict, cast : bool
        As in `Module.load_state_dict`.

    Returns
    -------
    Loaded
        ``missing_keys`` and ``unexpected_keys``; empty where `strict`.

    Raises
    ------
    WeightsError
        For a file that is damaged, is of another format, or does not fit the model.
    FileNotFoundError
        Where there is none.
    ImportError
        Where safetensors is not installed: ``pip install 'tinygrad_opt[train]'``.
    """
    if not isinstance(model, Module):
        raise TypeError(
            f"load_weights: expected a Module; got {type(model).__name__}. Write load_weights(model, path)."
        )
    arrays, notes = container.unpack("load_weights", path)
    if CHECKPOINT in notes:
        raise errors.WeightsError(
            f"load_weights: '{path}' is a checkpoint; write tg.train.load_checkpoint(model, path)"
        )
    try:
        return model.load_state_dict(with_shared(arrays, notes, model), strict, cast=cast)
    except errors.ShapeError as error:
        raise errors.WeightsError(f"load_weights: '{path}': {error}") from None


def distinct(function: str, state: Mapping[str, Any]) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, str]]:
    """Each array of a state once, in host memory, under its first name; and the first name of every other one."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    first: dict[int, str] = {}
    shared: dict[str, str] = {}
    for name, value in state.items():
        array = value._array if isinstance(value, Tensor) else value
        if not isinstance(name, str) or not backend.is_array(array):
            raise TypeError(f"{function}: a state leads from names to tensors; got {name!r}: {value!r:.80}")
        known = first.setdefault(id(array), name)
        if known == name:
            arrays[name] = backend.of(array).to_host(array)
        else:
            shared[name] = known
    return arrays, shared


def with_shared(arrays: Mapping[str, Any], notes: Mapping[str, str], model: Module) -> dict[str, Any]:
    """The arrays of a file under all their names: under further ones, as noted, where the model has these."""
    own = model.state_dict()
    further = {name: arrays[known] for name, known in notes.items() if known in arrays and name in own}
    return {**further, **arrays}
