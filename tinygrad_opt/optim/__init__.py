"""Optimizers: each update rule is written once, as it stands in the book, and runs over flat vectors."""

from .adam import Adam
from .optimizer import Optimizer
from .sgd import SGD

__all__ = ["SGD", "Adam", "Optimizer"]
