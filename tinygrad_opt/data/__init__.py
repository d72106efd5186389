"""Data: datasets, batches, splits, preparation, and a few sets to train on. Names and meaning follow PyTorch."""

from ..ops import one_hot
from .batching import collate
from .datasets import Dataset, Subset, TensorDataset
from .loader import DataLoader
from .prepare import standardize
from .shipped import digits
from .splits import random_split, train_test_split
from .synthetic import moons, spirals

__all__ = [
    "DataLoader", "Dataset", "Subset", "TensorDataset", "collate", "digits", "moons", "one_hot", "random_split",
    "spirals", "standardize", "train_test_split",
]  # fmt: skip
