"""What the lesson on the standard error claims."""

import numpy as np


def check(measured):
    (rows,) = measured.values()
    sizes = np.array([row["batch size"] for row in rows])
    for suffix in ("", ", no example twice"):
        predicted, found = (np.array([row[kind + suffix] for row in rows]) for kind in ("predicted", "measured"))
        np.testing.assert_allclose(found, predicted, rtol=0.12)  # 400 draws tell a mean of squares to about 5 %
    predicted = np.array([row["predicted"] for row in rows])
    np.testing.assert_allclose(predicted * np.sqrt(sizes), predicted[0], rtol=1e-12)
