"""The training loop: for each batch, predict, measure, differentiate, update; for each epoch, validate and report."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Sized
from time import perf_counter
from typing import Any

from .. import errors
from ..core import tree
from ..core.tensor import Tensor
from .callbacks import Callback, Run
from .evaluation import evaluate, mode, pairs
from .history import History
from .listeners import assemble
from .metrics import Means, Metric, Metrics, as_number, named_metrics

__all__ = ["fit"]


def fit(
    model: Callable[..., Any],
    loss: Callable[..., Any],
    optimizer: Any,
    train: Iterable[Any],
    valid: Iterable[Any] | None = None,
    *,
    epochs: int = 1,
    metrics: Metrics = None,
    callbacks: Iterable[Callback] = (),
    scheduler: Any = None,
    scheduler_step: str = "epoch",
    progress: bool = True,
) -> History:
    """Train a model, and report on each epoch.

    Parameters
    ----------
    model : Module or callable
    loss : callable
        ``loss(prediction, target)``, a scalar tensor: the mean over the examples of the batch.
    optimizer : Optimizer
        Made from the model's parameters. One whose ``step`` needs a closure (line searches, L-BFGS, ...) gets it.
    train, valid : DataLoader or iterable of (x, y)
        Training data, and data to measure on after each epoch. Of more than two elements the last is the target, and
        the model is called with all the others.
    epochs : int
    metrics : str, list of str, or dict, optional
        As in `evaluate`; measured on both kinds of data.
    callbacks : iterable of Callback
        Called in order, after the scheduler.
    scheduler : learning-rate scheduler, optional
        One whose ``step`` takes ``metrics`` is given the validation loss (the training loss without validation).
    scheduler_step : {"epoch", "batch"}
        When to call ``scheduler.step()``: after each epoch, or after each batch.
    progress : bool
        Show a bar (in a terminal, with tqdm installed) or print lines.

    Returns
    -------
    History
        One row per complete epoch: ``epoch``, ``train_loss``, ``train_<metric>``, ``valid_loss``,
        ``valid_<metric>``, ``lr`` (with a scheduler: that of the epoch's last update), ``seconds``. All are means
        over examples: a smaller last batch counts less.

    Raises
    ------
    AnomalyError
        When the loss of a training batch is not finite, naming epoch and batch. The parameters are then as the
        batch before has left them.
    TypeError, ValueError
        For arguments that cannot be used, such as a loader without batches.

    Notes
    -----
    The training numbers are collected while the parameters move and layers such as dropout are in training mode:
    they describe the epoch, not its last parameters. For those, ``evaluate`` the model on the training data.

    Ctrl-C ends training early but in order: `fit` returns the history of the complete epochs, with
    ``history.stopped`` saying so, and callbacks such as `EarlyStopping` do their last work.

    The loss is read once per batch; on a GPU that waits for the forward pass. Afterwards, every part of the model is
    back in the mode (training or evaluation) it was in.

    Examples
    --------
    >>> tg.manual_seed(0)
    >>> dataset = tg.data.TensorDataset(*tg.data.moons(200, seed=0))
    >>> loader = tg.data.DataLoader(dataset, batch_size=20, shuffle=True)
    >>> model = tg.nn.Sequential(tg.nn.Linear(2, 16), tg.nn.Tanh(), tg.nn.Linear(16, 2))
    >>> optimizer = tg.optim.Adam(model.parameters(), lr=0.05)
    >>> history = tg.train.fit(
    ...     model, tg.nn.CrossEntropyLoss(), optimizer, loader, epochs=20, metrics="accuracy", progress=False
    ... )
    >>> history["train_accuracy"][-1] > 0.95
    True
    """
    _check(model, loss, optimizer, epochs, scheduler_step)
    batches = len(train) if isinstance(train, Sized) else None
    listeners = assemble(callbacks, scheduler, scheduler_step, progress)
    run = Run(model, loss, optimizer, epochs, batches, listeners)
    measures = named_metrics("fit", metrics)
    try:
        run.tell("on_train_begin")
        while run.epoch < epochs and not run.history.stopped:
            run.epoch += 1
            start = perf_counter()
            row: dict[str, Any] = {"epoch": run.epoch, **_prefixed("train", _train_epoch(run, train, measures))}
            if valid is not None:
                row |= _prefixed("valid", evaluate(model, valid, loss, measures))
            row["seconds"] = perf_counter() - start
            run.history.epochs.append(row)
            run.tell("on_epoch_end")
    except KeyboardInterrupt:
        run.stop(f"interrupted in epoch {run.epoch}")
    finally:
        run.tell("on_train_end")
    return run.history


def _train_epoch(run: Run, train: Iterable[Any], metrics: dict[str, Metric]) -> dict[str, float]:
    by_closure = _needs_closure(run.optimizer)
    means = Means()
    with mode(run.model, training=True):
        for run.batch, (inputs, target) in enumerate(pairs("fit", train), start=1):
            run.batch_loss, prediction = _update(run, inputs, target, by_closure)
            values = {name: as_number(name, metric(prediction, target)) for name, metric in metrics.items()}
            means.add({"loss": run.batch_loss, **values}, len(target))
            run.tell("on_batch_end")
    return means.result()


def _needs_closure(optimizer: Any) -> bool:
    """Whether ``step`` has to be given the closure: it says so, or the argument has no default."""
    return getattr(optimizer, "needs_closure", False) or any(
        p.default is p.empty for p in inspect.signature(optimizer.step).parameters.values()
    )


def _update(run: Run, inputs: list[Any], target: Any, by_closure: bool) -> tuple[float, Any]:
    """One step of the optimizer; returns the loss and the prediction before it."""
    before: list[tuple[float, Any]] = []

    def closure() -> Any:
        prediction = run.model(*inputs)
        loss = run.loss(prediction, target)
        if not before:  # a line search may try points whose loss is not finite, but must not start at one
            before.append((_finite_loss(run, loss), _detached(prediction)))
        return loss

    if by_closure:
        run.optimizer.step(closure)
    else:
        run.optimizer.zero_grad()
        closure().backward()
        run.tell("on_backward_end")
        run.optimizer.step()
    return before[0]


def _finite_loss(run: Run, loss: Any) -> float:
    if not isinstance(loss, Tensor):
        raise TypeError(f"fit: loss(prediction, target) must return a scalar tensor; got {type(loss).__name__}")
    value = as_number("fit: the loss", loss)
    if not math.isfinite(value):
        raise errors.AnomalyError(
            f"fit: the loss is {value} in epoch {run.epoch}, batch {run.batch}; the parameters were left as they were "
            "before this batch. Usual causes: too high a learning rate; nan or inf in the data; log, sqrt or division "
            "at 0. To see which operation it is, call fit inside `with tg.detect_anomaly():`"
        )
    return value


def _detached(prediction: Any) -> Any:
    leaves, rebuild = tree.flatten(prediction)
    return rebuild([leaf.detach() if isinstance(leaf, Tensor) else leaf for leaf in leaves])


def _prefixed(prefix: str, values: dict[str, float]) -> dict[str, float]:
    return {f"{prefix}_{name}": value for name, value in values.items()}


def _check(model: Any, loss: Any, optimizer: Any, epochs: Any, scheduler_step: str) -> None:
    if not callable(model) or not callable(loss) or not hasattr(optimizer, "step"):
        raise TypeError(
            "fit: expected fit(model, loss, optimizer, train, ...) with a callable model and loss; got "
            f"{type(model).__name__}, {type(loss).__name__} and {type(optimizer).__name__}"
        )
    if isinstance(epochs, bool) or not isinstance(epochs, int) or epochs < 1:
        raise ValueError(f"fit: epochs must be a whole number of at least 1; got {epochs!r}")
    if scheduler_step not in ("epoch", "batch"):
        raise ValueError(f"fit: scheduler_step must be 'epoch' or 'batch'; got {scheduler_step!r}")
