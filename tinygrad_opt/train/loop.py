"""The training loop: for each batch, predict, measure, differentiate, update; for each epoch, validate and report."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Iterator, Sized
from itertools import islice
from time import perf_counter
from typing import Any

from .. import errors
from ..core import tree
from ..core.tensor import Tensor
from .callbacks import Callback, Run
from .evaluation import evaluate, mode, pairs
from .history import History
from .listeners import assemble, scheduling
from .metrics import Means, Metric, Metrics, as_number, named_metrics

__all__ = ["fit", "needs_closure"]

Batch = tuple[list[Any], Any]  # inputs and target


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
    scheduler_metric: str | None = None,
    accumulate: int = 1,
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
        Any of ``tg.optim.lr_scheduler``, made of this optimizer.
    scheduler_step : {"epoch", "batch"}
        When to call ``scheduler.step()``: after each epoch, or after each update. One whose ``step`` takes ``metrics``,
        such as `ReduceLROnPlateau`, is called after each epoch.
    scheduler_metric : str, optional
        The column of the history that such a scheduler watches: without it the validation loss, or the training loss
        where there is no validation.
    accumulate : int
        The number of batches whose gradients are added up for one update, which is that of one batch of them all:
        losses count by examples. For callbacks and schedulers they are one batch. (Batch normalization still sees one
        at a time.)
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
    _check(model, loss, optimizer, epochs, accumulate)
    batches = -(-len(train) // accumulate) if isinstance(train, Sized) else None
    listeners = assemble(callbacks, scheduling("fit", optimizer, scheduler, scheduler_step, scheduler_metric), progress)
    run = Run(model, loss, optimizer, epochs, batches, listeners)
    measures = named_metrics("fit", metrics)
    try:
        run.tell("on_train_begin")
        while run.epoch < epochs and not run.history.stopped:
            run.epoch += 1
            start = perf_counter()
            updates = _together(pairs("fit", train), accumulate)
            row: dict[str, Any] = {"epoch": run.epoch, **_prefixed("train", _train_epoch(run, updates, measures))}
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


def _together(batches: Iterator[Batch], count: int) -> Iterator[list[Batch]]:
    """The batches in lists of `count`; the last may be shorter."""
    while group := list(islice(batches, count)):
        yield group


def _train_epoch(run: Run, updates: Iterable[list[Batch]], metrics: dict[str, Metric]) -> dict[str, float]:
    by_closure = needs_closure(run.optimizer)
    means = Means()
    with mode(run.model, training=True):
        for run.batch, group in enumerate(updates, start=1):
            of_update = Means()
            for (loss, prediction), (_, target) in zip(_update(run, group, by_closure), group, strict=True):
                values = {name: as_number(name, metric(prediction, target)) for name, metric in metrics.items()}
                means.add({"loss": loss, **values}, len(target))
                of_update.add({"loss": loss}, len(target))
            run.batch_loss = of_update.result()["loss"]
            run.tell("on_batch_end")
    return means.result()


def needs_closure(optimizer: Any) -> bool:
    """Whether ``step`` has to be given the closure: it says so, or the argument has no default."""
    return getattr(optimizer, "needs_closure", False) or any(
        p.default is p.empty for p in inspect.signature(optimizer.step).parameters.values()
    )


def _update(run: Run, group: list[Batch], by_closure: bool) -> list[tuple[float, Any]]:
    """One step of the optimizer; returns the loss and the prediction of each batch before it."""
    before: list[tuple[float, Any]] = []
    total = sum(len(target) for _, target in group) if len(group) > 1 else 1

    def share(inputs: list[Any], target: Any, first: bool) -> Any:
        """What a batch adds to the mean over the examples of all."""
        prediction = run.model(*inputs)
        loss = run.loss(prediction, target)
        if first:  # a line search may try points whose loss is not finite, but must not start at one
            before.append((_finite_loss(run, loss), _detached(prediction)))
        return loss if len(group) == 1 else loss * (len(target) / total)

    def closure() -> Any:
        first = not before
        shares = [share(*batch, first) for batch in group]
        return sum(shares[1:], shares[0])

    if by_closure:
        run.optimizer.step(closure)
    else:
        run.optimizer.zero_grad()
        for batch in group:
            share(*batch, True).backward()
        run.tell("on_backward_end")
        run.optimizer.step()
    return before


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


def _check(model: Any, loss: Any, optimizer: Any, epochs: Any, accumulate: Any) -> None:
    if not callable(model) or not callable(loss) or not hasattr(optimizer, "step"):
        raise TypeError(
            "fit: expected fit(model, loss, optimizer, train, ...) with a callable model and loss; got "
            f"{type(model).__name__}, {type(loss).__name__} and {type(optimizer).__name__}"
        )
    for name, value in (("epochs", epochs), ("accumulate", accumulate)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ValueError(f"fit: {name} must be a whole number of at least 1; got {value!r}")
