"""Optimizers: each update rule is written once, as it stands in the book, and runs over flat vectors."""

from . import lr_scheduler as lr_scheduler
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adam_measures import AdaBelief, Adamax, Yogi
from .adam_steps import NAdam, RAdam
from .averaged import ASGD
from .lion import Lion
from .lookahead import Lookahead
from .optimizer import Optimizer
from .rates import DeltaBarDelta, Rprop
from .rmsprop import Adadelta, RMSprop
from .sam import SAM
from .schedule_free import ScheduleFree
from .sgd import SGD
from .weight_averages import EMA, SWA

__all__ = [
    "ASGD", "AdaBelief", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "DeltaBarDelta", "EMA", "Lion",
    "Lookahead", "NAdam", "Optimizer", "RAdam", "RMSprop", "Rprop", "SAM", "SGD", "SWA",
    "ScheduleFree", "Yogi",
]  # fmt: skip
