"""What the lesson on surrogate losses claims."""


def check(measured):
    far, overlapping, (slope,) = measured.values()

    done = [row for row in far if row["train 0-1"] == 0]  # new data improve after the training error is zero
    assert len(done) >= 3
    assert done[-1]["new 0-1"] < 0.9 * done[0]["new 0-1"]
    assert done[-1]["train NLL"] < 0.5 * done[0]["train NLL"]

    last = overlapping[-1]  # the gap opens
    assert last["train 0-1"] < 0.02
    assert last["new NLL"] > 1.5 * min(row["new NLL"] for row in overlapping)
    assert last["new 0-1"] > 0.0668  # nothing is better than the best possible

    assert slope["value"] == 0
