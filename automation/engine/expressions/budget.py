"""Budget: what one evaluation may use of time, memory and depth."""

from __future__ import annotations

from typing import Any

from automation.engine.expressions.errors import Code, Refusal

OPERATIONS = 50_000  # one node, one item of a list or 256 characters of text each: some 10 ms
DEPTH = 100  # levels of lists and objects; stored values have at most 64
OUTPUT_BYTES = 8 << 20

_TEXT_PER_OPERATION = 8  # bits: 256 characters cost as much as one node


class Budget:
    """Counts down while an expression runs. Made once per evaluation or shared by those of one step.

    Straight code is charged at once by its number of nodes, filters charge per item before they start,
    and whatever builds text charges its length before it builds.
    """

    __slots__ = ("_granted", "depth", "operations", "output_bytes")

    def __init__(self, operations: int = OPERATIONS, depth: int = DEPTH, output_bytes: int = OUTPUT_BYTES) -> None:
        self.operations = operations
        self.depth = depth
        self.output_bytes = output_bytes
        self._granted = (operations, output_bytes)

    def spend(self, operations: int) -> None:
        """Use up `operations`."""
        self.operations -= operations
        if self.operations < 0:
            raise self.out_of_operations()

    def read(self, characters: int) -> None:
        """Use up the operations of walking over a text of that length."""
        self.spend(characters >> _TEXT_PER_OPERATION)

    def grow(self, size: int) -> None:
        """Use up `size` bytes of new values."""
        self.output_bytes -= size
        if self.output_bytes < 0:
            raise self.out_of_memory()

    def take(self, value: Any) -> None:
        """Use up the size of a whole JSON value, every reference to a shared part counted again."""
        self.grow(self.measure(value))

    def measure(self, value: Any) -> int:
        """About how many bytes `value` has as JSON. Stops as soon as it is too large or too deep."""
        level, size, depth = [value], 0, 0
        while level:
            depth += 1
            if depth > self.depth:
                raise Refusal(
                    f"the value is nested deeper than {self.depth} levels", code=Code.BUDGET, hint="Flatten it."
                )
            size, level = self._measure_level(level, size)
        return size

    def _measure_level(self, level: list[Any], size: int) -> tuple[int, list[Any]]:
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is str:
                size += text_bytes(value) + 2
            elif kind is list:
                size += 2 + 2 * len(value)
                below.extend(value) if size <= self.output_bytes else None
            elif kind is dict:
                size += 2 + sum(map(len, value)) + 6 * len(value)
                below.extend(value.values()) if size <= self.output_bytes else None
            else:
                size += 4
            if size > self.output_bytes:
                raise self.out_of_memory()
        return size, below

    def out_of_operations(self) -> Refusal:
        """The refusal of an expression that works too long."""
        return Refusal(
            f"it needs more than the {self._granted[0]} operations an expression may use",
            code=Code.BUDGET,
            hint="Work on fewer items or split it over several steps.",
        )

    def out_of_memory(self) -> Refusal:
        """The refusal of an expression that makes too much."""
        return Refusal(
            f"it makes more than the {self._granted[1]} bytes an expression may produce",
            code=Code.BUDGET,
            hint="Pick the parts that are needed.",
        )


def text_bytes(text: str) -> int:
    """About the bytes of a text: exact for ASCII, three for any other character."""
    return len(text) if text.isascii() else 3 * len(text)
