"""What the lesson on starting values claims."""


def check(measured):
    depth, stopping = measured.values()
    factors = {(row["activation"], row["initializer"]): row for row in depth}
    for initializer in ("He", "table, course", "LSUV"):  # made for ReLU: both directions keep their size
        assert abs(factors["relu", initializer]["up, a layer"] - 1) < 0.05
        assert abs(factors["relu", initializer]["down, a layer"] - 1) < 0.05
    assert abs(factors["relu", "Glorot"]["up, a layer"] - 0.5**0.5) < 0.03  # half of the variance a layer is lost
    assert abs(factors["tanh", "LSUV"]["up, a layer"] - 1) < 0.02
    assert factors["tanh", "table, course"]["down, a layer"] > 1.3  # the factor 4 on tanh is too much
    assert 0.9 < factors["tanh", "table, Glorot"]["down, a layer"] < 1
    # ... and belongs to the logistic unit, whose slope is 1/4.
    assert (
        factors["logistic", "table, Glorot"]["down, a layer"]
        > 2 * factors["logistic", "table, course"]["down, a layer"]
    )

    distances = [row["distance, stopped"] for row in stopping]
    assert distances == sorted(distances)
    for row in stopping:
        assert abs(row["distance, penalty"] / row["distance, stopped"] - 1) < 0.3
        assert row["cosine of the two ways"] > 0.99
