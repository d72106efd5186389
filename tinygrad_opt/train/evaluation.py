"""Measuring a model on data, without learning from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ..core.modes import no_grad
from ..nn.module import Module
from .metrics import Means, Metrics, as_number, named_metrics

__all__ = ["evaluate", "mode", "pairs"]


def evaluate(
    model: Callable[..., Any], batches: Iterable[Any], loss: Callable[..., Any] | None = None, metrics: Metrics = None
) -> dict[str, float]:
    """The means of a loss and of metrics over all examples of a loader.

    The model is put into evaluation mode, nothing is recorded, and afterwards every part of the model is back in the
    mode it was in.

    Parameters
    ----------
    model : Module or callable
    batches : DataLoader or iterable of (x, y)
        Of more than two elements the last is the target, and the model is called with all the others.
    loss : callable, optional
        ``loss(prediction, target)``, a mean over the examples of the batch.
    metrics : str, list of str, or dict, optional
        Known by name: ``"accuracy"``. A dict maps names to functions ``(prediction, target) -> number``, each a mean
        over the examples of the batch.

    Returns
    -------
    dict
        ``"loss"``, if a loss was given, and the metrics by name, as Python numbers. Batches count in proportion to
        their numbers of examples.

    Raises
    ------
    ValueError
        Without anything to measure, and without any batch.

    Examples
    --------
    >>> loader = tg.data.DataLoader(tg.data.TensorDataset(tg.eye(3), tg.tensor([0, 1, 1])), batch_size=2)
    >>> tg.train.evaluate(lambda x: x, loader, metrics="accuracy")
    {'accuracy': 0.6666666666666666}
    """
    measures: dict[str, Callable[..., Any]] = {} if loss is None else {"loss": loss}
    measures |= named_metrics("evaluate", metrics)
    if not measures:
        raise ValueError("evaluate: nothing to measure; pass loss=..., metrics='accuracy', or both")
    means = Means()
    with mode(model, training=False), no_grad():
        for inputs, target in pairs("evaluate", batches):
            prediction = model(*inputs)
            values = {name: as_number(name, measure(prediction, target)) for name, measure in measures.items()}
            means.add(values, len(target))
    return means.result()


def pairs(function: str, batches: Iterable[Any]) -> Iterator[tuple[list[Any], Any]]:
    """The inputs and the target of each batch."""
    batch = None
    for batch in batches:
        if not isinstance(batch, (tuple, list)) or len(batch) < 2:
            raise TypeError(
                f"{function}: expected batches (x, y); got {type(batch).__name__} {batch!r:.80}. "
                "Pass DataLoader(TensorDataset(x, y), batch_size=...)"
            )
        *inputs, target = batch
        yield inputs, target
    if batch is None:
        raise ValueError(
            f"{function}: there are no batches. A generator runs out after one pass; pass a DataLoader or a list"
        )


@contextmanager
def mode(model: Any, training: bool) -> Iterator[None]:
    """Put a module into training or evaluation mode for a while; then each part is back in the mode it was in."""
    modules = list(model.modules()) if isinstance(model, Module) else []
    before = [module.training for module in modules]
    if modules:
        model.train(training)
    try:
        yield
    finally:
        for module, was in zip(modules, before, strict=True):
            module.training = was
