"""Units that start alike stay alike: why weights are drawn at random.

Two hidden units with the same incoming and outgoing weights compute the same, get the same gradient, and take the same
step, for ever: gradient descent cannot tell them apart. A network of n such units is a network of one. Random starting
values break the symmetry (Goodfellow, Bengio, Courville, *Deep Learning*, section 8.4).

Four starts of one network on handwritten digits: all weights 0, all units equal, each unit there twice, all drawn.

The equal units sit on a saddle of the loss, and a saddle is left as soon as anything pushes. In float32 rounding does:
a matrix product may sum the same numbers in another order for another column. The last panel shows the distance
between equal units grow from the size of a rounding error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from lesson import figure, run, save, style

import tinygrad_opt as tg
from tinygrad_opt import nn

HIDDEN = 32


def zeros(incoming: tg.Tensor, outgoing: tg.Tensor) -> None:
    """Every weight 0."""
    nn.init.zeros_(incoming)
    nn.init.zeros_(outgoing)


def equal(incoming: tg.Tensor, outgoing: tg.Tensor) -> None:
    """Every unit the same: one drawn row for all units, one drawn column."""
    drawn(incoming, outgoing)
    incoming.data = np.repeat(incoming.data[:1], HIDDEN, axis=0)
    outgoing.data = np.repeat(outgoing.data[:, :1], HIDDEN, axis=1)


def twice(incoming: tg.Tensor, outgoing: tg.Tensor) -> None:
    """Half of the units drawn, and a copy of each."""
    drawn(incoming, outgoing)
    incoming.data = np.repeat(incoming.data[::2], 2, axis=0)
    outgoing.data = np.repeat(outgoing.data[:, ::2], 2, axis=1)


def drawn(incoming: tg.Tensor, outgoing: tg.Tensor) -> None:
    """Every weight drawn."""
    nn.init.fan_in_uniform_(incoming)
    nn.init.fan_in_uniform_(outgoing)


STARTS = {"all zero": zeros, "all units equal": equal, "each unit twice": twice, "all drawn": drawn}


def distinct_units(model: nn.Sequential) -> int:
    """How many different hidden units there are, by their incoming weights, to six decimals."""
    return len(np.unique(model[0].weight.detach().numpy().round(6) + 0.0, axis=0))


def spread(model: nn.Sequential) -> float:
    """The largest difference between a weight of the first unit and that of another."""
    weight = model[0].weight.detach().numpy()
    return float(np.abs(weight - weight[0]).max())


def train(name: str, seed: int, steps: int, measure_at: list[int], dtype: Any = tg.float64) -> list[dict[str, Any]]:
    """Gradient descent with momentum on mini-batches from one start."""
    tg.manual_seed(seed)
    images, labels = tg.data.digits()
    images = images.astype(dtype)
    x_train, x_test, y_train, y_test = tg.data.train_test_split(images, labels, stratify=labels, seed=seed)
    batches = tg.data.DataLoader(tg.data.TensorDataset(x_train, y_train), batch_size=64, shuffle=True, seed=seed)
    model = nn.Sequential(nn.Linear(64, HIDDEN, bias_init=0.0), nn.Tanh(), nn.Linear(HIDDEN, 10, bias_init=0.0))
    model.to(dtype)
    STARTS[name](model[0].weight, model[2].weight)
    loss = nn.CrossEntropyLoss()
    optimizer = tg.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    rows: list[dict[str, Any]] = []
    step = 0
    while True:
        for x, y in batches:
            if step in measure_at:
                with tg.no_grad():
                    prediction = model(x_test)
                    accuracy = (tg.argmax(prediction, axis=1) == y_test).astype(tg.float64).mean().item()
                    rows.append(
                        {
                            "distinct units": distinct_units(model),
                            "spread": spread(model),
                            "test loss": loss(prediction, y_test).item(),
                            "test accuracy": accuracy,
                        }
                    )
            if step == steps:
                return rows
            optimizer.zero_grad()
            loss(model(x), y).backward()
            optimizer.step()
            step += 1


def main(out: Path, quick: bool = False) -> dict[str, list[dict[str, Any]]]:
    """Train from each start; count the different units, draw what they achieve, and how rounding parts equal ones."""
    steps, seeds = (200, 1) if quick else (1500, 5)
    measure_at = sorted({round(steps * i / 25) for i in range(26)})
    made, ((left, middle, right),) = figure(1, 3)
    last = []
    for position, name in enumerate(STARTS):
        runs = [train(name, seed, steps, measure_at) for seed in range(seeds)]
        for axes, key in ((left, "distinct units"), (middle, "test accuracy")):
            mean = np.mean([[row[key] for row in rows] for rows in runs], axis=0)
            axes.plot(measure_at, mean, label=name, **style(position))
        numbers = ("distinct units", "test loss", "test accuracy")
        last.append({"start": name} | {key: float(np.mean([rows[-1][key] for rows in runs])) for key in numbers})
    left.set(xlabel="step", ylabel=f"different units among {HIDDEN}", ylim=(0, HIDDEN * 1.05))
    middle.set(xlabel="step", ylabel="test accuracy", ylim=(0, 1.02))
    middle.legend(frameon=False, loc="center right", bbox_to_anchor=(1, 0.69))

    rounding = []
    for position, dtype in enumerate((tg.float32, tg.float64)):
        rows = train("all units equal", 0, steps, measure_at, dtype)
        apart = [row["spread"] for row in rows]
        right.plot(measure_at, apart, label=str(dtype), **style(position))
        rounding.append({"dtype": str(dtype), "spread at the start": apart[0], "at the end": apart[-1]})
    right.set_yscale("symlog", linthresh=1e-17)
    right.set(xlabel="step", ylabel="largest difference of equal units", ylim=(-1e-17, 10))
    right.set_yticks([0, 1e-16, 1e-12, 1e-8, 1e-4, 1])
    right.legend(frameon=False, loc="center right", title="all units equal, in")
    save(made, out, "symmetry_breaking")
    return {f"After {steps} steps, means over {seeds} seeds, float64": last, "Rounding": rounding}


if __name__ == "__main__":
    run(main)
