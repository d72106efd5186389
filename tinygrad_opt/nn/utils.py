"""Helpers for training: ``tg.nn.utils``, with PyTorch's names."""

from __future__ import annotations

from .frozen import frozen_stats
from .population import update_bn_statistics

__all__ = ["frozen_stats", "update_bn_statistics"]
