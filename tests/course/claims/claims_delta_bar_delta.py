"""What the lesson on delta-bar-delta claims."""

import math


def check(measured):
    (rows,) = measured.values()
    straight, turned = rows[0], rows[-1]
    assert 680 < straight["gradient descent"] < 700  # ln 1e6 / ln(101/99) = 691, along the axes or not
    assert math.isclose(turned["gradient descent"], straight["gradient descent"], abs_tol=3)
    assert straight["delta-bar-delta"] < straight["gradient descent"] / 10
    assert turned["gradient descent"] > turned["delta-bar-delta"] > 4 * straight["delta-bar-delta"]
    assert straight["largest rate of θ₁"] > 10 * straight["of θ₂"]  # along the axes the rates part
    assert math.isclose(turned["largest rate of θ₁"], turned["of θ₂"], rel_tol=0.2)  # and not halfway between them
    assert 0.02 / 3 < straight["of θ₂"] < 3 * 0.02  # what is steep keeps a rate of the size that is stable, 2/c
