"""Learning rates against the step, of one schedule or of several: closed forms, so nothing is trained for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ..optim.lr_scheduler import LRScheduler
from .plots import _FEW, _figure_class, frame, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["schedule"]


def schedule(schedulers: Any, steps: int, *, log: bool = False, title: str = "") -> Figure:
    """The learning rate at the first steps, with a curve for each schedule.

    Parameters
    ----------
    schedulers : scheduler, list of schedulers, or dict of them
        The keys of a dict become the labels; else the names of the schedules do, with their arguments where a name
        occurs twice. Groups of parameters whose rates differ have a curve each. No schedule is moved.
    steps : int
        The number of steps, from step 0 on.
    log : bool
        A logarithmic scale; a rate of 0 leaves a gap.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
        ``.savefig("schedule.png")`` writes a file; in a notebook it shows itself.

    Raises
    ------
    ModuleNotFoundError
        Where Matplotlib is not installed.
    TypeError
        For what is no schedule, and for `ReduceLROnPlateau`, whose rates depend on the training.

    Examples
    --------
    >>> optimizer = tg.optim.SGD([tg.zeros(1, requires_grad=True)], lr=0.1)
    >>> cosine = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=100)
    >>> figure = tg.viz.schedule([cosine, tg.optim.lr_scheduler.Warmup(cosine, steps=10)], steps=110)
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['CosineAnnealingLR', 'Warmup']
    """
    named = _named(schedulers)
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1:
        raise ValueError(f"schedule: steps must be a whole number of at least 1; got {steps!r:.80}")
    curves = [curve for label, plan in named for curve in _curves(label, plan, steps)]
    figure = _figure_class("schedule")(figsize=(6.4, 3.8), dpi=120, layout="constrained")
    axes = figure.subplots()
    for position, (label, rates) in enumerate(curves):
        axes.plot(
            range(steps), rates, label=label, marker="o" if steps <= _FEW else "", markersize=3.5, **style(position)
        )  # fmt: skip
    _finish(axes, log)
    if title:
        figure.suptitle(title)
    return figure


def _named(schedulers: Any) -> list[tuple[str, LRScheduler]]:
    """The schedules with their labels."""
    given = [schedulers] if isinstance(schedulers, LRScheduler) else schedulers
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise TypeError(f"schedule: expected a scheduler, or a list or dict of them; got {schedulers!r:.80}")
    pairs = list(given.items()) if isinstance(given, Mapping) else [("", plan) for plan in given]
    if not pairs:
        raise ValueError("schedule: there is no schedule to draw")
    for _, plan in pairs:
        if not isinstance(plan, LRScheduler):
            raise TypeError(f"schedule: expected schedulers, such as tg.optim.lr_scheduler.StepLR; got {plan!r:.80}")
    times = Counter(type(plan).__name__ for _, plan in pairs)
    return [(str(label) or _name(plan, times), plan) for label, plan in pairs]


def _name(plan: LRScheduler, times: Counter[str]) -> str:
    name = type(plan).__name__
    return name if times[name] == 1 else plan.formula


def _curves(label: str, plan: LRScheduler, steps: int) -> list[tuple[str, list[float]]]:
    """One curve, or one for each group where they differ."""
    groups = list(map(list, zip(*[plan.at(k) for k in range(steps)], strict=True)))
    if all(rates == groups[0] for rates in groups):
        return [(label, groups[0])]
    return [(f"{label}, group {number}", rates) for number, rates in enumerate(groups)]


def _finish(axes: Axes, log: bool) -> None:
    """Labels, grid, scale and legend."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("step")
    axes.set_ylabel("learning rate")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    frame(axes)
    if log:
        axes.set_yscale("log", nonpositive="mask")
    else:
        axes.set_ylim(bottom=0.0)
    axes.legend(frameon=False)
