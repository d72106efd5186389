"""What the lesson on the canyon claims."""

import math


def check(measured):
    mild, narrow, speeds = measured.values()
    for rows, condition in ((mild, 5), (narrow, 100)):
        plain, momentum, nesterov = rows
        assert momentum["steps"] < nesterov["steps"] < 0.75 * plain["steps"] < math.inf
        assert abs(plain["factor measured"] - (condition - 1) / (condition + 1)) < 1e-6
        for row in (momentum, nesterov):  # where both ends of the spectrum fall alike, a factor of order k is left
            assert row["factor predicted"] < row["factor measured"] < row["factor predicted"] + 0.035
        for row in rows:
            assert row["steps"] < min(row["with 0.8 ε"], row["with 1.2 ε"])
        assert plain["walls"] == plain["steps"]  # every step crosses the canyon
    assert narrow[0]["steps"] / narrow[1]["steps"] > 7 > 3 > mild[0]["steps"] / mild[1]["steps"]  # about √c

    for row in speeds:
        assert math.isclose(row["speed"], row["ε‖g‖/(1 - α)"], rel_tol=1e-8)
        if row["α"] > 0:  # the speed after k steps is the share 1 - αᵏ
            assert row["steps to 95 %"] == math.ceil(math.log(0.05) / math.log(row["α"]))
