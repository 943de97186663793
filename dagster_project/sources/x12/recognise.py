"""Whether a file is X12, and which feeds its transactions are read for.

Belongs here: telling X12 from everything else by its first bytes. Does not: what is wrong in it (envelopes.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.sources.contracts import Contract
from dagster_project.sources.layouts import X12
from dagster_project.sources.recognise import NotRecognised, Recognised
from dagster_project.sources.x12.records import RECORDS
from dagster_project.sources.x12.segments import ELEMENT, ISA, NotX12, Segments, is_tag

# A column may be called ST as well: what follows the tag tells.
_BEGINNING = re.compile(r"\s*(?:ISA(\W)[0-9]{2}\1|GS(\W)[A-Z]{2}\2|ST(\W)[0-9]{3}\3)")

EXPLANATIONS = {
    "no_isa": "it is X12 without an interchange: no ISA says how its segments are written. Fetch it again.",
    "segment_too_long": "it is X12, and the separator that its ISA declares does not end its segments. Fetch it again.",
}
NOT_YET = "What is read: docs/x12.md"
# 277 is two transactions: what is said of claims that were sent (277CA), and the answer to an inquiry, which no feed reads.
_SAYS_277CA = f"^(GS|ST){ELEMENT}.*{ELEMENT}005010X214($|{ELEMENT})"


def looks_like_x12(head: str) -> bool:
    """By the first letters of a file; a title before them is allowed where a whole ISA follows."""
    return _BEGINNING.match(head) is not None or ISA.search(head.encode()) is not None


def recognise_x12(blocks: Iterable[bytes], contracts: Mapping[str, Contract]) -> Recognised | NotRecognised:
    """The feeds that read transactions of the kinds in the file, the leading one first."""
    kinds: set[int] = set()
    wanted = {record.kind for record in RECORDS.values()} - {277}
    try:
        for batch in Segments(blocks, lambda kind, tags, unit: is_tag(tags, "GS", "ST")).batches():
            kinds.update(kind for kind in pc.unique(batch["kind"]).to_pylist() if kind)
            if 277 in kinds - wanted and _says_277ca(batch):
                wanted.add(277)
    except NotX12 as error:
        return NotRecognised(error.reason_code, EXPLANATIONS[error.reason_code], advice="")
    by_record = {
        layout.x12: feed for feed, contract in contracts.items() if (layout := contract.layouts.get(X12)) and layout.x12
    }
    feeds = tuple(
        by_record[name] for name, record in RECORDS.items() if record.kind in kinds & wanted and name in by_record
    )
    if not feeds:
        told = ", ".join(str(kind) for kind in sorted(kinds)) or "no transaction"
        return NotRecognised("x12_not_wanted", f"it is X12 of a kind that no feed reads ({told}).", NOT_YET)
    return Recognised(X12, feeds, "", 0, ())


def _says_277ca(batch: pa.RecordBatch) -> bool:
    of_kind = batch["text"].filter(pc.equal(batch["kind"], 277))
    return bool(pc.any(pc.match_substring_regex(of_kind, _SAYS_277CA)).as_py())
