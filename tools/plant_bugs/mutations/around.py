"""What stands around: gradcheck, training, files, pictures, messages."""

from __future__ import annotations

from .mutation import Mutation

__all__ = ["MUTATIONS"]


MUTATIONS = [
    Mutation(
        "checksum not looked at",
        "tinygrad_opt/train/container.py",
        "    if _is_changed(content, notes):",
        "    if not content:",
        "load_weights: a file with a changed number is loaded",
        ("tests/train/test_weights.py",),
    ),
    Mutation(
        "not on the disk yet",
        "tinygrad_opt/train/files.py",
        "            os.fsync(file.fileno())",
        "            pass",
        "after a power failure the file has its new name and no content",
        ("tests/train/test_weights.py",),
    ),
    Mutation(
        "other random numbers at the second run",
        "tinygrad_opt/backend.py",
        "    host.bit_generator.state = state.host",
        "    pass",
        "a recomputed dropout draws another mask",
        ("tests/test_checkpoint.py",),
    ),
    Mutation(
        "one generator for all",
        "tinygrad_opt/backend.py",
        "host = HOST.new_generator(state.seeds, HOST.kind)",
        "host = generator(HOST.kind)",
        "a recomputation in one thread sets back the random numbers of all others",
        ("tests/test_checkpoint.py",),
    ),
    Mutation(
        "batches of different sizes",
        "tinygrad_opt/train/loop.py",
        "loss * (len(target) / total)",
        "loss * (1 / len(group))",
        "fit(accumulate=...): examples of small batches count more",
        ("tests/train/test_schedules_in_fit.py",),
    ),
]
