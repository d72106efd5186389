"""Helpers for training loops and for functions of a model's parameters: ``tg.nn.utils``, with PyTorch's names."""

from __future__ import annotations

from .frozen import frozen_stats

__all__ = ["frozen_stats"]
