"""Arrays of a mixed-integer program, and putting them together block by block.

Belongs here: blocks of columns and rows with their names, the finished arrays. Does not: what the columns mean (hull.py, rows.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from optimization.pricing.reach import Reach


@dataclass(frozen=True, eq=False)
class Block:
    """Columns or rows that share a name: `first` to `first + len(keys)`, and for each the positions it is about."""

    first: int
    keys: np.ndarray  # (members, positions); what they number is said where the block is made

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def all(self) -> np.ndarray:
        return np.arange(self.first, self.first + len(self.keys))


@dataclass(eq=False)
class Arrays:
    """A mixed-integer program: least cost·v + offset, row_low ≤ matrix·v ≤ row_high, low ≤ v ≤ high, some v whole numbers."""

    cost: np.ndarray
    offset: float
    low: np.ndarray
    high: np.ndarray
    whole: np.ndarray
    matrix: sparse.csr_matrix
    row_low: np.ndarray
    row_high: np.ndarray
    columns: dict[str, Block]
    rows: dict[str, Block]
    reach: Reach
    at_least: np.ndarray  # (pairs, tiers): column that is 1 if the tier is this or a higher one; -1 always, -2 never


class Builder:
    """Columns, rows and entries as they are put together, block by block."""

    def __init__(self) -> None:
        self.columns: dict[str, Block] = {}
        self.rows: dict[str, Block] = {}
        self.low: list[np.ndarray] = []
        self.high: list[np.ndarray] = []
        self.whole: list[np.ndarray] = []
        self.row_low: list[np.ndarray] = []
        self.row_high: list[np.ndarray] = []
        self.entries: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self.width = self.height = 0

    def column(self, name: str, keys: np.ndarray, low: object, high: object, whole: bool = False) -> np.ndarray:
        block = Block(self.width, keys)
        self.columns[name] = block
        self.low.append(np.broadcast_to(np.asarray(low, float), (len(keys),)))
        self.high.append(np.broadcast_to(np.asarray(high, float), (len(keys),)))
        self.whole.append(np.full(len(keys), whole))
        self.width += len(keys)
        return block.all

    def row(self, name: str, keys: np.ndarray, low: object, high: object) -> np.ndarray:
        block = Block(self.height, keys)
        self.rows[name] = block
        self.row_low.append(np.array(np.broadcast_to(np.asarray(low, float), (len(keys),))))
        self.row_high.append(np.array(np.broadcast_to(np.asarray(high, float), (len(keys),))))
        self.height += len(keys)
        return block.all

    def put(self, row: np.ndarray, column: np.ndarray, value: object) -> None:
        self.entries.append((row, column, np.broadcast_to(np.asarray(value, float), np.shape(row))))

    def put_step(self, row: np.ndarray, column: np.ndarray, value: np.ndarray) -> None:
        """value × "at least this tier", where the column may be the constants 1 (-1) or 0 (-2)."""
        real = column >= 0
        self.put(row[real], column[real], value[real])
        sure = column == -1
        if sure.any():
            shift = np.bincount(row[sure], value[sure], minlength=self.height)
            place = 0
            for low, high in zip(self.row_low, self.row_high, strict=True):
                part = shift[place : place + len(low)]
                low -= part
                high -= part
                place += len(low)
