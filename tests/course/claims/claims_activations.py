"""What the lesson on activations claims."""


def check(measured):
    start, trained = ({row["activation"]: row for row in rows} for rows in measured.values())
    assert start["logistic"]["first / last"] < 1e-9  # a factor of at most 1/4 from each of 19 layers
    assert 1e-2 < start["tanh"]["first / last"] < 1
    assert 0.2 < start["ReLU"]["first / last"] < 5
    assert trained["logistic"]["training loss"] > 2.25  # not much below guessing, ln 10
    assert trained["ReLU"]["training loss"] < 0.5
