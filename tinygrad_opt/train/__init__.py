"""Training: the loop, what watches it, and what it reports."""

from .callbacks import Callback, EarlyStopping, Run
from .checkpoints import Checkpoint, ModelCheckpoint, load_checkpoint, save_checkpoint
from .clipping import GradientClipping
from .evaluation import evaluate
from .history import History
from .loop import fit
from .metrics import accuracy
from .progress import ProgressBar, ProgressLines
from .weights import load_weights, save_weights

__all__ = [
    "Callback", "EarlyStopping", "GradientClipping", "History", "ProgressBar", "ProgressLines", "Run", "accuracy",
    "evaluate", "fit",
    "Checkpoint", "ModelCheckpoint", "load_checkpoint", "load_weights", "save_checkpoint", "save_weights",
]  # fmt: skip
