"""What the lesson on batch normalization claims."""

import math


def check(measured):
    swept, widths, statistics = measured.values()
    small, middle, large = swept
    assert small["normalized accuracy"] > 0.9 > 0.5 > small["plain accuracy"]  # too small for the plain network
    assert middle["normalized accuracy"] > 0.9
    assert large["normalized loss"] < math.log(10) < large["plain loss"]  # and too large for it

    start = [row["std"] for row in widths if row["when"] == "at the start"]
    plain, normalized = start[: len(start) // 2], start[len(start) // 2 :]
    assert plain[-1] < 0.6 * plain[0]  # the signal shrinks from layer to layer
    assert all(abs(std - 1) < 0.02 for std in normalized)

    slow = statistics[-1]  # an average over a hundred batches lags behind; the population pass does not
    assert slow["population loss"] < slow["running loss"]
