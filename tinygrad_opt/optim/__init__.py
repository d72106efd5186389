"""Optimizers: each update rule is written once, as it stands in the book, and runs over flat vectors."""

from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .adam_measures import AdaBelief, Adamax, Yogi
from .adam_steps import NAdam, RAdam
from .averaged import ASGD
from .layerwise import LAMB, LARS
from .lion import Lion
from .muon import Muon
from .optimizer import Optimizer
from .rates import DeltaBarDelta, Rprop
from .rmsprop import Adadelta, RMSprop
from .sgd import SGD
from .shampoo import Shampoo

__all__ = [
    "ASGD", "AdaBelief", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "DeltaBarDelta", "LAMB",
    "LARS", "Lion", "Muon", "NAdam", "Optimizer", "RAdam", "RMSprop", "Rprop", "SGD", "Shampoo", "Yogi",
]  # fmt: skip
