"""Helpers for training loops and for functions of a model's parameters: ``tg.nn.utils``, with PyTorch's names."""

from __future__ import annotations

from .clipping import clip_grad_norm_, clip_grad_value_
from .frozen import frozen_stats
from .gradients import add_grad_noise_, clip_each_grad_norm_, clip_grad_adaptive_
from .population import update_bn_statistics
from .substitution import functional_call
from .vectors import parameters_to_vector, vector_to_parameters

__all__ = [
    "add_grad_noise_",
    "clip_each_grad_norm_",
    "clip_grad_adaptive_",
    "clip_grad_norm_",
    "clip_grad_value_",
    "frozen_stats",
    "functional_call",
    "parameters_to_vector",
    "update_bn_statistics",
    "vector_to_parameters",
]
