"""What the lesson on the noise floor claims."""

from itertools import pairwise


def check(measured):
    constant, spent = measured.values()
    for row in constant:  # the formula is the first order in ε: the larger the rate, the more is missing
        assert abs(row["ratio"] - 1) < 0.05 + 0.15 * row["ε"]
    floors = [row["floor"] for row in constant]
    for upper, lower in pairwise(floors):
        assert 1.8 < upper / lower < 2.4
    reached = [row["reached at"] for row in constant]
    assert reached == sorted(reached)
    assert reached[-1] > 2 * reached[0]
    for row in spent:
        large, _, linear, floor = list(row.values())[1:]
        assert linear < large / 7
        assert linear > 0.9 * floor  # the decay ends, and so does the fall
    few, many = spent[0], spent[-1]
    assert few["linear, 0.8 to 0.008"] < few["constant 0.008"] / 5
    assert many["linear, 0.8 to 0.008"] < 0.7 * few["linear, 0.8 to 0.008"]
    assert many["constant 0.8"] > 0.7 * few["constant 0.8"]  # stalled
