"""Optimizers: each update rule is written once, as it stands in the book, and runs over flat vectors."""

from . import lr_scheduler as lr_scheduler
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adam_measures import AdaBelief, Adamax, Yogi
from .adam_steps import NAdam, RAdam
from .averaged import ASGD
from .layerwise import LAMB, LARS
from .lion import Lion
from .lookahead import Lookahead
from .muon import Muon
from .optimizer import Optimizer
from .rates import DeltaBarDelta, Rprop
from .rmsprop import Adadelta, RMSprop
from .sam import SAM
from .schedule_free import ScheduleFree
from .sgd import SGD
from .shampoo import Shampoo
from .soap import SOAP
from .weight_averages import EMA, SWA

__all__ = [
    "ASGD", "AdaBelief", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "DeltaBarDelta", "EMA", "LAMB",
    "LARS", "Lion", "Lookahead", "Muon", "NAdam", "Optimizer", "RAdam", "RMSprop", "Rprop", "SAM", "SGD", "SOAP",
    "SWA", "ScheduleFree", "Shampoo", "Yogi",
]  # fmt: skip
