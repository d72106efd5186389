"""Checkpoints: everything that a training run needs to go on later as if nothing had happened, in one file.

The weights stand in the file under ``model.``, arrays of other states beside them; all else is JSON in its notes.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import backend, errors
from ..nn.module import Module
from . import container, files
from .callbacks import Callback, Run, improvement_mode
from .records import decode, encode
from .weights import CHECKPOINT, distinct, with_shared

__all__ = ["Checkpoint", "ModelCheckpoint", "load_checkpoint", "save_checkpoint"]


class Checkpoint(NamedTuple):
    """What a checkpoint holds beside states: the number of complete epochs, and what the caller added."""

    epoch: int
    extra: dict[str, Any]


def save_checkpoint(
    model: Module, path: Any, optimizer: Any = None, scheduler: Any = None, *, epoch: int = 0, **extra: Any
) -> None:
    """Write the states of a model, its optimizer and its scheduler, and of the random numbers, into one file.

    Parameters
    ----------
    model : Module
    path : path
    optimizer, scheduler : optional
        Whatever has ``state_dict()`` and ``load_state_dict()``.
    epoch : int
        How many epochs are complete.
    **extra
        Numbers, texts, arrays, and lists, tuples and dicts of them.

    Examples
    --------
    >>> import tempfile
    >>> model = tg.nn.Linear(2, 1)
    >>> optimizer = tg.optim.Adam(model.parameters(), lr=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tg.train.save_checkpoint(model, f"{folder}/run.safetensors", optimizer, epoch=3, best=0.25)
    ...     tg.train.load_checkpoint(model, f"{folder}/run.safetensors", optimizer)
    Checkpoint(epoch=3, extra={'best': 0.25})
    """
    _check("save_checkpoint", model, optimizer, scheduler)
    arrays, shared = distinct("save_checkpoint", model.state_dict())
    arrays = {f"model.{name}": array for name, array in arrays.items()}
    parts = {"optimizer": optimizer, "scheduler": scheduler}
    states = {name: part.state_dict() for name, part in parts.items() if part is not None}
    record = {"shared": shared, "random": _random(), "epoch": epoch, "extra": extra, **states}
    notes = {CHECKPOINT: json.dumps({name: encode(name, value, arrays) for name, value in record.items()})}
    files.write(path, container.pack(arrays, notes))


def load_checkpoint(model: Module, path: Any, optimizer: Any = None, scheduler: Any = None) -> Checkpoint:
    """Put everything back as a checkpoint has it; nothing is changed unless everything fits.

    Parameters
    ----------
    model, optimizer, scheduler
        Made as those that were saved. What is not given is left aside. The package's random numbers go on from where
        they were in any case.
    path : path

    Returns
    -------
    Checkpoint
        ``epoch`` and ``extra``.

    Raises
    ------
    WeightsError
        For a file that is damaged, is no checkpoint, lacks a state that is asked for, or does not fit.
    """
    _check("load_checkpoint", model, optimizer, scheduler)
    arrays, notes = container.unpack("load_checkpoint", path)
    if CHECKPOINT not in notes:
        raise errors.WeightsError(
            f"load_checkpoint: '{path}' is no checkpoint; if it holds weights write tg.train.load_weights(model, path)"
        )
    record = {name: decode(value, arrays) for name, value in json.loads(notes[CHECKPOINT]).items()}
    weights = {name.removeprefix("model."): array for name, array in arrays.items() if name.startswith("model.")}
    targets = [(model, with_shared(weights, record["shared"], model))]
    for name, part in (("optimizer", optimizer), ("scheduler", scheduler)):
        if part is not None and name not in record:
            raise errors.WeightsError(f"load_checkpoint: '{path}' was saved without the state of the {name}")
        if part is not None:
            targets.append((part, record[name]))
    _load_all(path, targets)
    _restore_random(record["random"])
    return Checkpoint(record["epoch"], record["extra"])


def _check(function: str, model: Any, optimizer: Any, scheduler: Any) -> None:
    if not isinstance(model, Module):
        raise TypeError(
            f"{function}: expected a Module; got {type(model).__name__}. Write {function}(model, path, ...)"
        )
    for name, part in (("optimizer", optimizer), ("scheduler", scheduler)):
        if part is not None and not (hasattr(part, "state_dict") and hasattr(part, "load_state_dict")):
            raise TypeError(f"{function}: the {name} has no state_dict() and load_state_dict(); got {part!r:.80}")


def _load_all(path: Any, targets: list[tuple[Any, Any]]) -> None:
    """Load each state; where one does not fit, those before it are put back."""
    undo: list[Callable[[], Any]] = []
    try:
        for part, state in targets:
            before = copy.deepcopy(part.state_dict())
            undo.append(lambda part=part, before=before: part.load_state_dict(before))  # type: ignore[misc]
            part.load_state_dict(state)
    except Exception as error:
        for put_back in undo[::-1]:
            put_back()
        raise errors.WeightsError(f"load_checkpoint: '{path}': {error}") from error


def _random() -> dict[str, Any]:
    state = backend.random_state()
    seeds = state.seeds
    sequence = {"entropy": seeds.entropy, "spawn_key": seeds.spawn_key, "pool_size": seeds.pool_size}
    return {"seeds": sequence, "branch": state.branch, "host": state.host}


def _restore_random(saved: dict[str, Any]) -> None:
    seeds = np.random.SeedSequence(**saved["seeds"])
    backend.restore_random_state(backend.RandomState(seeds, saved["branch"], saved["host"]))


class ModelCheckpoint(Callback):
    """Write a checkpoint after each epoch, or after each that was better than all before.

    Parameters
    ----------
    path : str or path
        May contain ``{epoch}``: then each checkpoint has a file of its own.
    monitor : str, optional
        A column of the history; only epochs that improve it are written.
    mode : {"min", "max"}, optional
        As in `EarlyStopping`.

    Examples
    --------
    >>> tg.train.ModelCheckpoint("best.safetensors", monitor="valid_accuracy")
    ModelCheckpoint('best.safetensors', monitor='valid_accuracy', mode='max')
    """

    def __init__(self, path: Any, monitor: str | None = None, mode: str | None = None) -> None:
        self.path, self.monitor = path, monitor
        self.mode = improvement_mode("ModelCheckpoint", monitor, mode) if monitor is not None else None
        self.best = math.inf if self.mode == "min" else -math.inf

    def on_epoch_end(self, run: Run) -> None:
        """Write, if this epoch is to be kept."""
        if self.monitor is not None:
            value = run.history[self.monitor][-1]
            if not (value < self.best if self.mode == "min" else value > self.best):
                return
            self.best = value
        scheduler = next((c.scheduler for c in run.callbacks if hasattr(c, "scheduler")), None)
        scheduler = scheduler if hasattr(scheduler, "state_dict") else None
        path = str(self.path).replace("{epoch}", str(run.epoch))
        save_checkpoint(run.model, path, run.optimizer, scheduler, epoch=run.epoch, history=run.history.epochs)

    def __repr__(self) -> str:
        monitored = "" if self.monitor is None else f", monitor={self.monitor!r}, mode={self.mode!r}"
        return f"ModelCheckpoint({str(self.path)!r}{monitored})"
