"""What lies in landing: each file's content, format and state. Landing is only ever looked at.

Belongs here: the walk, leaving files that still grow, the record of it in lake/inventory.parquet.
Does not: putting files there (placing.py), reading rows.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq

from dagster_project.settings import Settings
from dagster_project.sources.contracts import Contract
from dagster_project.sources.lake import INVENTORY, write_rows
from dagster_project.sources.layouts import NAME_PATTERN, X12
from dagster_project.sources.recognise import Format, NotRecognised, Recognised, formats, recognise
from dagster_project.sources.unpack import Unreadable, blocks, survey
from dagster_project.sources.x12.recognise import looks_like_x12, recognise_x12

NO_SOURCE = "nothing says who sent it: any sender may use its layout."
ASK_SOURCE = "Say it: claimhouse load FILE --source NAME"
DEMO = "demo"
_SEGMENT = re.compile(r"(source|layout|period|version)=(.+)")
_GENERATED = re.compile(r"([a-z_]+)/\1(_[0-9]{4}-[0-9]{2})?(_resent)?\.csv(\.gz)?")
_VERSION = re.compile(r"(^|/)version=[0-9]+/")
_NOT_DATA = (".ctl", ".tmp", ".part", ".partial", ".crdownload", ".unfinished")

EXPLANATIONS = {
    "empty_file": "it is empty.",
    "excel": "it is an Excel workbook. Save the sheet as CSV (UTF-8).",
    "utf16": "it is UTF-16. Save it as UTF-8.",
    "pdf": "it is a PDF.",
    "html": "it is a web page or XML, perhaps an error page saved under this name. Fetch it again.",
    "binary": "it is no text.",
    "truncated_gzip": "its gzip data end too early. Fetch it again.",
    "broken_gzip": "its gzip data are broken. Fetch it again.",
    "broken_zip": "its zip archive is broken. Fetch it again.",
    "unknown_zip": "its zip is packed in a way that few can unpack. Unpack it, or pack it again with gzip.",
    "several_files_in_zip": "its zip holds several files. Unpack it and place them one by one.",
    "encrypted_zip": "its zip asks for a password. Unpack it first.",
    "broken_link": "it is a link that leads nowhere. Place the file itself.",
    "no_permission": "we may not read it. Give us the right (chmod), or place a copy.",
    "name_not_utf8": "its name is not UTF-8. Rename it.",
    "outside_landing": "it is a link to a file outside landing. Place the file itself.",
}


@dataclass(frozen=True)
class Inventoried:
    """One landed file. `state`: recognised, set_aside, growing, duplicate, replaced (a later version lies beside it)."""

    file_name: str  # relative to landing
    byte_count: int
    modified_ns: int
    content_hash: str | None = None
    format: str | None = None  # the layout's name
    feeds: list[str] = field(default_factory=list)
    data_source: str | None = None
    delimiter: str | None = None
    header_line_number: int | None = None
    unread_columns: list[str] = field(default_factory=list)
    encoding: str | None = None
    packing: str | None = None
    is_clean: bool | None = None
    state: str = "growing"
    reason_code: str | None = None
    explanation: str | None = None
    rules_hash: str | None = None

    def word(self, name: str) -> str | None:
        """The operator's word in the path: source, layout, period or version."""
        return operator_words(self.file_name).get(name)


def operator_words(file_name: str) -> dict[str, str]:
    """`source=`, `layout=`, `period=` and `version=` segments of a landing path."""
    matches = (_SEGMENT.fullmatch(segment) for segment in Path(file_name).parts[:-1])
    return {match[1]: match[2] for match in matches if match}


def delivery_name(file_name: str) -> str:
    """The name under which a sender delivers: versions of one delivery share it, and the latest counts."""
    return _VERSION.sub(r"\1", file_name)


def version_of(file_name: str) -> int:
    word = operator_words(file_name).get("version", "1")
    return int(word) if word.isdigit() else 1


def read_inventory(settings: Settings) -> list[Inventoried]:
    """The inventory as last taken."""
    path = settings.lake / "inventory.parquet"
    if not path.exists() or pq.read_schema(path) != INVENTORY:
        return []
    return [Inventoried(**row) for row in pq.read_table(path).to_pylist()]


def take_inventory(settings: Settings, contracts: Mapping[str, Contract]) -> list[Inventoried]:
    """Looks at every landed file that is new or changed, and records all in lake/inventory.parquet.

    Files too young to be complete are left as growing: a later inventory takes them.
    """
    known_formats = formats(contracts)
    is_demonstration = _is_demonstration(settings.landing)
    rules = _rules_hash(known_formats, contracts, is_demonstration)
    before = {item.file_name: item for item in read_inventory(settings)}
    seen: dict[str, Inventoried] = {}
    now = time.time_ns()
    for found in _walk(settings.landing):
        old = before.get(found.file_name)
        if (shown := as_utf8(found.file_name)) != found.file_name:  # such a name cannot even be recorded
            found = replace(found, file_name=shown)
            seen[shown] = _set_aside(found, "name_not_utf8", EXPLANATIONS["name_not_utf8"])
        elif (
            old
            and old.state != "growing"
            and old.reason_code != "no_permission"
            and _same_file(old, found)
            and old.rules_hash == rules
        ):
            seen[found.file_name] = old
        elif abs(now - found.modified_ns) < settings.quiet_seconds * 1e9:
            seen[found.file_name] = found
        else:
            looked = _looked_at(settings, found, known_formats, contracts, rules)
            seen[found.file_name] = _with_sender(looked, is_demonstration)
    inventory = _with_duplicates(_latest_versions(seen.values()), before)
    write_rows((asdict(item) for item in inventory), INVENTORY, settings.lake / "inventory.parquet")
    return inventory


def _is_demonstration(landing: Path) -> bool:
    """Whether the generator wrote here: its files in CMS's layouts lie under its name, as a sender's own would."""
    return any(landing.glob(f"*/source={DEMO}"))


def _with_sender(item: Inventoried, is_demonstration: bool) -> Inventoried:
    """Set aside where neither layout nor person says who sent the file, unless it is one of the generator's own."""
    if item.state != "recognised" or item.data_source is not None:
        return item
    if is_demonstration and _GENERATED.fullmatch(item.file_name):
        return replace(item, data_source=DEMO)
    return _set_aside(item, "no_source", NO_SOURCE, f"{ASK_SOURCE}, or put it into a folder source=NAME")


def _rules_hash(known_formats: list[Format], contracts: Mapping[str, Contract], is_demonstration: bool) -> str:
    sources = sorted(
        (feed, name, layout.data_source or "")
        for feed, contract in contracts.items()
        for name, layout in contract.layouts.items()
    )
    shapes = sorted(
        (item.name, item.feeds, sorted(item.needed), sorted(item.known), sorted(item.absent), item.delimiter or "")
        for item in known_formats
    )
    return sha256(repr((sources, shapes, is_demonstration)).encode()).hexdigest()[:16]


def as_utf8(name: str) -> str:
    """The name itself, or with the bytes spelled out that are no UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _walk(landing: Path) -> Iterator[Inventoried]:
    for folder, folders, files in os.walk(landing, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if name.startswith(".") or name.lower().endswith(_NOT_DATA):
                continue
            if path.is_file() or _leads_nowhere(path):
                yield _measured(landing, path)


def _leads_nowhere(path: Path) -> bool:
    """A link to what is not there, or to itself: somebody meant to deliver a file, so it is told."""
    return path.is_symlink() and not path.exists()


def status_of(path: Path) -> os.stat_result:
    """Of a link that leads nowhere its own. Raises FileNotFoundError where nothing is."""
    try:
        return path.stat()
    except OSError:
        return path.lstat()


def _measured(landing: Path, path: Path) -> Inventoried:
    try:
        status = status_of(path)
    except FileNotFoundError:
        return Inventoried(path.relative_to(landing).as_posix(), -1, -1)
    return Inventoried(path.relative_to(landing).as_posix(), status.st_size, status.st_mtime_ns)


def _same_file(one: Inventoried, other: Inventoried) -> bool:
    return (one.byte_count, one.modified_ns) == (other.byte_count, other.modified_ns)


def _looked_at(
    settings: Settings, found: Inventoried, known_formats: list[Format], contracts: Mapping[str, Contract], rules: str
) -> Inventoried:
    path = settings.landing / found.file_name
    looked = _judged(path, replace(found, rules_hash=rules), settings, known_formats, contracts)
    # Someone may have gone on writing while we read.
    return looked if _same_file(found, _measured(settings.landing, path)) else found


def _judged(
    path: Path, found: Inventoried, settings: Settings, known_formats: list[Format], contracts: Mapping[str, Contract]
) -> Inventoried:
    if _leads_nowhere(path):
        return _set_aside(found, "broken_link", EXPLANATIONS["broken_link"])
    if path.is_symlink() and not path.resolve().is_relative_to(settings.landing.resolve()):
        return _set_aside(found, "outside_landing", EXPLANATIONS["outside_landing"])
    try:
        told = survey(path)
    except PermissionError:  # one such file once ended the inventory of all
        return _set_aside(found, "no_permission", EXPLANATIONS["no_permission"])
    except Unreadable as error:
        with path.open("rb") as file:
            digest = sha256(file.read(1 << 24)).hexdigest()
        return _set_aside(replace(found, content_hash=digest), error.reason_code, EXPLANATIONS[error.reason_code])
    found = replace(
        found, content_hash=told.content_hash, encoding=told.encoding, packing=told.packing, is_clean=told.is_clean
    )
    source = found.word("source")
    if source is not None and not NAME_PATTERN.fullmatch(source):
        return _set_aside(found, "bad_source_name", f"source={source}: use lower-case letters, digits and _.")
    fits = fitting(path, told.head, known_formats, contracts, found.word("layout"))
    if isinstance(fits, NotRecognised):
        return _set_aside(found, fits.reason_code, fits.explanation, fits.advice)
    layout = contracts[fits.feeds[0]].layout(fits.layout)
    return replace(
        found,
        format=fits.layout,
        feeds=list(fits.feeds),
        data_source=source or layout.data_source,
        delimiter=fits.delimiter or None,
        header_line_number=fits.header_line_number or None,
        unread_columns=list(fits.unread_columns),
        state="recognised",
    )


def fitting(
    path: Path, head: str, known_formats: list[Format], contracts: Mapping[str, Contract], layout: str | None
) -> Recognised | NotRecognised:
    """What the file is: X12 by its segments, anything else by its header. `layout` is the operator's word."""
    if layout in (None, X12) and looks_like_x12(head):
        return recognise_x12(blocks(path), contracts)
    return recognise(head, known_formats, layout)


def _set_aside(found: Inventoried, reason_code: str, explanation: str, advice: str = "") -> Inventoried:
    return replace(found, state="set_aside", reason_code=reason_code, explanation=f"{explanation} {advice}".strip())


def _latest_versions(items: Iterable[Inventoried]) -> list[Inventoried]:
    """Of several versions of one delivery the highest counts; the others are marked as replaced."""
    latest: dict[str, Inventoried] = {}
    for item in items:
        name = delivery_name(item.file_name)
        counts = item.state in ("recognised", "duplicate", "replaced")
        if counts and (name not in latest or version_of(latest[name].file_name) < version_of(item.file_name)):
            latest[name] = item
    result = []
    for item in items:
        later = latest.get(delivery_name(item.file_name))
        if item.state in ("recognised", "duplicate", "replaced") and later is not None:
            is_latest = later.file_name == item.file_name
            item = replace(
                item,
                state="recognised" if is_latest else "replaced",
                explanation=None if is_latest else f"a later version came: {later.file_name}",
            )
        result.append(item)
    return result


def _with_duplicates(items: Iterable[Inventoried], before: Mapping[str, Inventoried]) -> list[Inventoried]:
    """Of files with the same content from the same source, the one known first counts."""

    def was_first(item: Inventoried) -> tuple[bool, str]:
        old = before.get(item.file_name)
        return not (old and old.state == "recognised" and old.content_hash == item.content_hash), item.file_name

    first: dict[tuple[str | None, str | None, str | None], str] = {}
    result = []
    for item in sorted(items, key=was_first):
        if item.state in ("recognised", "duplicate"):
            original = first.setdefault((item.content_hash, item.data_source, item.word("period")), item.file_name)
            is_copy = original != item.file_name
            item = replace(
                item,
                state="duplicate" if is_copy else "recognised",
                explanation=f"the same content as {original}" if is_copy else None,
            )
        result.append(item)
    return sorted(result, key=lambda item: item.file_name)
