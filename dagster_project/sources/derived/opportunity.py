"""What models say of hospitals and DRGs: where there is money to look for. Tables of dbt's source `opportunity`.

Belongs here: columns and their words. Does not: computing them.
"""

from __future__ import annotations

import pyarrow as pa

ABOUT = "What models say of hospitals and DRGs."
TABLES: dict[str, tuple[str, list[tuple[str, pa.DataType, str]]]] = {}
