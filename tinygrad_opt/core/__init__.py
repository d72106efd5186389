"""The engine: modes, the tape, the five kinds of primitive, and the Tensor that users hold."""
