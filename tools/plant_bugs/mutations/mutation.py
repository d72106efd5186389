"""One mistake, as data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Mutation", "StaleMutationError", "rule_of"]


def rule_of(operation: str, test: str = "test_operation") -> tuple[str, ...]:
    """The property test of one operation, on the CPU."""
    return (f"tests/test_every_primitive.py::{test}[cpu-{operation}]",)


class StaleMutationError(ValueError):
    """The sources no longer hold the line that a mutation changes, or hold it more than once."""


@dataclass(frozen=True)
class Mutation:
    """One planted bug.

    Attributes
    ----------
    name
        What the mistake is called.
    file
        The source, from the root of the repository.
    old, new
        A text that the source holds exactly once, on one line, and what takes its place.
    breaks
        What is wrong afterwards.
    tests
        The part of the suite that is to see it.
    """

    name: str
    file: str
    old: str
    new: str
    breaks: str
    tests: tuple[str, ...]

    def plant(self, source: str) -> str:
        """The source with the bug in it."""
        count = source.count(self.old)
        if count != 1:
            raise StaleMutationError(
                f"'{self.name}': {self.file} holds {self.old!r} {count} times instead of once. Write down in "
                "tools/plant_bugs/mutations what the line reads now."
            )
        return source.replace(self.old, self.new)
