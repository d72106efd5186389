"""What the comparison of optimizers claims."""

import math

import tinygrad_opt as tg

# Rules that see whole parameters, averages of weights, and what wraps another method.
APART = {
    "Adafactor",
    "EMA",
    "LAMB",
    "LARS",
    "Lookahead",
    "Muon",
    "Optimizer",
    "SAM",
    "SOAP",
    "SWA",
    "ScheduleFree",
    "Shampoo",
}


def check(measured):
    best, by_rate = measured.values()
    swept = {row["method"]: {key: loss for key, loss in row.items() if key != "method"} for row in by_rate}

    missing = [name for name in tg.optim.__all__ if name not in APART and not any(name in method for method in swept)]
    assert missing == [], missing  # every method with a rule for one element takes part

    for method, losses in swept.items():  # the best rate is inside of what was tried
        values = list(losses.values())
        assert min(values) < min(values[0], values[-1]), method

    losses = [row["training loss"] for row in best]
    assert losses == sorted(losses)
    assert losses[-1] < 0.5 * math.log(10)  # at its own best rate every method learns
    assert all(row["± loss"] > 0 for row in best)

    rate = {row["method"]: row["best rate"] for row in best}
    assert max(rate.values()) >= 1000 * min(rate.values())  # and these are far apart:
    at_adams = f"{rate['Adam']:.2g}"
    assert swept["Adadelta"][at_adams] > 3 * min(swept["Adadelta"].values())  # so at another's rate a method looks bad
