"""Training: the loop, what watches it, and what it reports."""

from .callbacks import Callback, EarlyStopping, Run
from .evaluation import evaluate
from .history import History
from .loop import fit
from .metrics import accuracy
from .progress import ProgressBar, ProgressLines
from .weights import load_weights, save_weights

__all__ = [
    "Callback", "EarlyStopping", "History", "ProgressBar", "ProgressLines", "Run", "accuracy", "evaluate", "fit",
    "load_weights", "save_weights",
]  # fmt: skip
