"""What the lesson on unsupervised pre-training claims."""


def check(measured):
    (rows,) = measured.values()
    accuracy = {row["start"]: row["accuracy"] for row in rows}
    assert accuracy["autoencoders"] > accuracy["random weights"] + 0.02
    assert all(0.3 < value < 1 for value in accuracy.values())
