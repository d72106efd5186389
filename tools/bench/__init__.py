"""Training steps side by side: this framework against its peers, on the same work, in one process.

The idea is that a comparison is worth what its fairness is worth. Every contestant gets the same data and the
same initial weights and must first reproduce the losses of an independent float64 computation; only then is
it timed, on one thread, warmed up, in rounds in which everybody takes a turn, so that a machine that slows
down slows down for all. A ratio is the median of the per-round ratios "ours / peer": below 1 means that ours
is faster.

    python tools/bench                                   everything, every installed peer
    python tools/bench steps --sizes tiny,small --quick  a first look in seconds
"""
