"""Curves, drawn with Matplotlib. It is imported when a figure is asked for, and its global state stays as it is."""

from __future__ import annotations

import functools
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["history"]

# Okabe and Ito's colours, which remain distinct in every common form of colour blindness; and dashes, for print.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
DASHES = ("-", "--", "-.", ":")
_PARTS = ("train", "valid", "test")
_FEW = 25  # points that are marked each


def history(
    history: Any, *, metrics: str | Sequence[str] | None = None, log: bool | str | Sequence[str] = False,
    title: str = "",
) -> Figure:  # fmt: skip
    """Loss and metrics against the epoch: a panel for each quantity, with a curve for each part of the data.

    Parameters
    ----------
    history : History, list of dict, or dict of lists
        What ``tg.train.fit`` returns; or one dict for each epoch; or one list of numbers for each name. Names such as
        ``train_loss`` and ``valid_loss`` share the panel "loss".
    metrics : str or sequence of str, optional
        The panels, by the names of their quantities (``"loss"``, ``"accuracy"``, ``"lr"``, ``"seconds"``). By
        default all there are, without seconds, and without a learning rate that never changes.
    log : bool, str or sequence of str
        The panels with a logarithmic scale, by name; True means those of losses and of the learning rate. A panel
        with a number that is not positive keeps its linear scale.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
        ``.savefig("history.png")`` writes a file; in a notebook it shows itself.

    Raises
    ------
    ModuleNotFoundError
        Where Matplotlib is not installed.
    ValueError
        For an empty history, and for a quantity that it does not have.

    Examples
    --------
    >>> figure = tg.viz.history({"train_loss": [0.9, 0.5, 0.4], "valid_loss": [1.0, 0.7, 0.8]})
    >>> [axes.get_ylabel() for axes in figure.axes]
    ['loss']
    """
    epochs, curves = _columns(history)
    panels = _panels(curves, [metrics] if isinstance(metrics, str) else metrics)
    if isinstance(log, bool):
        log = [name for name in panels if log and name.endswith(("loss", "lr"))]
    log = [log] if isinstance(log, str) else log
    figure = _figure_class()(figsize=(5.2 * len(panels), 3.6), dpi=120, layout="constrained")
    for axes, (quantity, names) in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        for position, name in enumerate(names):
            _curve(axes, epochs, curves[name], _part(name)[0] or name, position)
        _finish(axes, quantity, names)
        if quantity in log and all(n > 0 for name in names for n in _finite(curves[name])):
            axes.set_yscale("log")
    if title:
        figure.suptitle(title)
    return figure


def style(position: int) -> dict[str, Any]:
    """Colour and dashes of the curve number `position`, to be passed on to ``axes.plot``."""
    return {"color": COLOURS[position % len(COLOURS)], "linestyle": DASHES[position % len(DASHES)], "linewidth": 1.8}


def frame(axes: Axes) -> None:
    """A light grid behind the curves, and no lines above and to the right."""
    axes.grid(True, color="#d9dee3", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _columns(history: Any) -> tuple[list[float], dict[str, list[Any]]]:
    """The epochs, and a list of numbers (None where there is none) for each other name."""
    rows = getattr(history, "epochs", history)
    rows = list(rows) if isinstance(rows, Iterable) and not isinstance(rows, Mapping) else rows
    if isinstance(rows, Mapping):
        columns = {str(name): list(numbers) for name, numbers in rows.items()}
    elif isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows):
        columns = {
            name: [row.get(name) for row in rows] for name in dict.fromkeys(name for row in rows for name in row)
        }
    else:
        raise TypeError(
            "history: expected what tg.train.fit returns, a list of dicts, or a dict of lists such as "
            f"{{'train_loss': [0.9, 0.5]}}; got {type(history).__name__}"
        )
    lengths = {name: len(numbers) for name, numbers in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"history: all lists must be equally long, one number an epoch; got lengths {lengths}")
    count = next(iter(lengths.values()), 0)
    if count == 0:
        raise ValueError("history: there is no epoch to draw")
    return columns.pop("epoch", None) or list(range(1, count + 1)), columns


def _part(name: str) -> tuple[str, str]:
    """``valid_loss`` taken apart: the part of the data, and the quantity."""
    part, _, quantity = name.partition("_")
    return (part, quantity) if part in _PARTS and quantity else ("", name)


def _panels(curves: Mapping[str, Sequence[Any]], wanted: Sequence[str] | None) -> dict[str, list[str]]:
    """The curves of each quantity, losses first."""
    found: dict[str, list[str]] = {}
    for name in sorted(curves, key=lambda name: _part(name)[1] != "loss"):
        found.setdefault(_part(name)[1], []).append(name)
    if wanted is None:
        constant = len(set(curves.get("lr", ()))) == 1
        wanted = [name for name in found if name != "seconds" and not (name == "lr" and constant)]
        if not wanted:
            raise ValueError(f"history: nothing to draw among {', '.join(found)}; name what you want: metrics=...")
    missing = [name for name in wanted if name not in found]
    if missing:
        raise ValueError(f"history: there is no {missing[0]!r} in it; there are: {', '.join(found)}")
    return {quantity: found[quantity] for quantity in wanted}


def _curve(axes: Axes, epochs: Sequence[float], numbers: Sequence[Any], label: str, position: int) -> None:
    """One curve. An epoch without a number is bridged; one whose number is nan or infinite leaves a gap."""
    points = [(e, float(n)) for e, n in zip(epochs, numbers, strict=True) if n is not None]
    place = _PARTS.index(label) if label in _PARTS else position
    axes.plot(
        [e for e, _ in points], [n if math.isfinite(n) else math.nan for _, n in points], label=label,
        marker="o" if len(_finite(numbers)) <= _FEW else "", markersize=3.5, **style(place),
    )  # fmt: skip


def _finite(numbers: Iterable[Any]) -> list[float]:
    return [float(n) for n in numbers if n is not None and math.isfinite(n)]


def _finish(axes: Axes, quantity: str, names: Sequence[str]) -> None:
    """Labels, grid and legend of a panel."""
    from matplotlib.ticker import MaxNLocator

    axes.set_xlabel("epoch")
    axes.set_ylabel("learning rate" if quantity == "lr" else quantity.replace("_", " "))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    frame(axes)
    if names != [quantity]:
        axes.legend(frameon=False)


@functools.cache
def _figure_class(function: str = "history") -> type[Figure]:
    """Matplotlib's Figure, which in a notebook also shows itself while pyplot is not in charge."""
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{function}: it is drawn with Matplotlib, which is not installed ({error}). "
            "Install it: pip install 'tinygrad_opt[viz]'",
            name=error.name,
        ) from error

    class NotebookFigure(Figure):
        def _repr_png_(self) -> bytes:
            target = io.BytesIO()
            self.savefig(target, format="png")
            return target.getvalue()

    return NotebookFigure
