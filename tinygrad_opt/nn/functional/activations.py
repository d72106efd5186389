"""Activations. Those that are functions of the package are named here too."""

from __future__ import annotations

from ...ops import log_softmax, relu, softmax, tanh

__all__ = ["log_softmax", "relu", "softmax", "tanh"]
