"""What the lesson on breaking the symmetry claims."""


def check(measured):
    starts, rounding = measured.values()
    by_name = {row["start"]: row for row in starts}
    assert [row["distinct units"] for row in by_name.values()] == [1, 1, 16, 32]
    assert by_name["all zero"]["test accuracy"] < 0.15  # the gradient of every weight is zero: only biases learn
    assert by_name["all units equal"]["test accuracy"] < by_name["all drawn"]["test accuracy"] - 0.2
    assert by_name["all drawn"]["test accuracy"] > 0.9
    assert [row["spread at the start"] for row in rounding] == [0, 0]
