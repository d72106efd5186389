"""The parts of the lesson on surrogate losses."""

from __future__ import annotations

import math


def test_the_best_error_is_that_of_the_known_direction(lesson):
    module = lesson("surrogate_loss")
    for task in (module.FAR, module.OVERLAPPING):
        x, labels = task.draw(200_000, 5)
        error = ((x.numpy()[:, 0] > 0) != (labels.numpy() == 1)).mean()
        assert math.isclose(error, task.best_error, abs_tol=4 * math.sqrt(task.best_error / 200_000))
