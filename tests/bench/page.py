"""docs/performance.md from what was measured. Belongs here: the page's words, and where pages go. Does not: measuring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dagster_project.settings import REPOSITORY

AIM_WHOLE, AIM_DAY, AIM_BYTES = 6.0, 0.10, 6 * 2**30
AIM_GENERATION_SECONDS, AIM_GENERATION_BYTES = 600, 4 * 2**30


def page_of(name: str, is_full: bool, folder: Path) -> Path:
    """Where a bench writes: what a small one measured must not stand in docs/ as if it were the full one's."""
    return (REPOSITORY / "docs" if is_full else folder) / name


def page(told: dict[str, Any]) -> str:
    floor, whole, day, nothing = told["floor"], told["whole"], told["day_more"], told["nothing_new"]
    floor_s, whole_s = floor["taken"]["seconds"], whole["whole"]["seconds"]
    start_s = told["start"]["whole"]["seconds"]
    day_s = day["whole"]["seconds"] - start_s
    marts = whole["rows"]
    lines = [
        "# What it costs",
        "",
        f"Measured by `make bench` on {told['day']} at commit {told['commit']}, on two cores: {told['members']:,} members, "
        f"{told['months']} months. Written by the bench itself; speeds are ratios within one run, since machines differ.",
        "",
        f"The world: {marts.get('fct_claim', 0):,} claims, {marts.get('fct_claim_line', 0):,} lines, "
        f"{marts.get('fct_claim_event', 0):,} events, {marts.get('fct_pharmacy_fill', 0):,} fills, "
        f"{marts.get('fct_encounter', 0):,} encounters (by claims and by record).",
        "",
        *table(told),
        "",
        "Rows and bytes are what a stage leaves behind: of the reading those read and the lake, of the warehouse those of "
        "all marts and its file, of the publication the published files; of one more day its own files. Reading includes "
        "what is asked of each feed's loads, and for the day a person's yes: the suite holds a day's file of a sender who "
        "sent whole months. Around the steps: starting Python, the job's plan, Dagster's records of what "
        "happened, the summary.",
    ]
    lines += ["", "## Against the aims", ""]
    lines += [
        _aim("whole run against the floor", whole_s / floor_s, AIM_WHOLE, "{:.1f} times"),
        _aim("peak memory of the whole run", whole["whole"]["peak_bytes"], AIM_BYTES, "{:,.0f} bytes"),
        _aim("one more day, without the cost of starting, against the whole run", day_s / whole_s, AIM_DAY, "{:.1%}"),
    ]
    if told["generation"]:
        made = told["generation"]["taken"]
        lines += [
            _aim("seconds to generate the world", made["seconds"], AIM_GENERATION_SECONDS, "{:.0f}"),
            _aim("memory to generate the world", made["peak_bytes"], AIM_GENERATION_BYTES, "{:,.0f} bytes"),
        ]
    lines += ["", "## Where the time goes", ""]
    lines += ["The models that took longest, in the whole run or on the day, in seconds:", ""]
    known_day, known_nothing = dict(day["models"]), dict(nothing["models"])
    longest = {name for name, _ in [*whole["models"][:20], *day["models"][:10]]}
    lines += ["| model | whole run | one more day | nothing new |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {seconds:.1f} | {known_day.get(name, 0):.1f} | {known_nothing.get(name, 0):.1f} |"
        for name, seconds in whole["models"]
        if name in longest
    ]
    lines += ["", "What stands between this and the aims: [where speed comes from](decisions/speed.md)."]
    return "\n".join(lines) + "\n"


def table(told: dict[str, Any]) -> list[str]:
    """Every stage beside the floor."""
    floor, whole, day, nothing, start = (told[key] for key in ("floor", "whole", "day_more", "nothing_new", "start"))
    floor_s = floor["taken"]["seconds"]
    new_rows = day["rows_read"] - whole["rows_read"]
    lines = [
        "| | seconds | CPU-seconds | peak memory | rows | bytes | against the floor |",
        "|---|---|---|---|---|---|---|",
    ]
    if told["generation"]:
        made = told["generation"]
        lines.append(_row("generating the world", made["taken"], floor_s, floor["rows"] + new_rows, made["byte_count"]))
    lines += [
        _row("floor: DuckDB alone, the same files, all columns, once to Parquet (zstd)", floor["taken"], floor_s,
             floor["rows"], floor["byte_count"]),
        _row("**the whole run**, files to published marts", whole["whole"], floor_s),
        *_stages(whole, floor_s),
        _row("**one more day**, the cost of starting included", day["whole"], floor_s, new_rows, day["day_bytes"]),
        *_stages(day, floor_s),
        _row("a run with nothing new", nothing["whole"], floor_s, 0, 0),
        _row("the cost of starting: nothing new, in a world of ten members", start["whole"], floor_s, 0, 0),
        *_stages(start, floor_s),
    ]  # fmt: skip
    return lines


def _stages(run: dict[str, Any], floor: float) -> list[str]:
    marts = sum(run["rows"].values())
    left = {
        "reading": (run["rows_read"], run["bytes"]["lake"]),
        "warehouse": (marts, run["bytes"]["warehouse"]),
        "publication": (marts, run["bytes"]["published"]),
    }
    parts = list(run["stages"].values())
    around = {
        "seconds": run["whole"]["seconds"] - sum(part["seconds"] for part in parts),
        "cpu_seconds": run["whole"]["cpu_seconds"] - sum(part["cpu_seconds"] for part in parts),
        "peak_bytes": min(part["peak_bytes"] for part in parts),
    }
    rows = [_row(f"— {stage}", taken, floor, *left.get(stage, (None, None))) for stage, taken in run["stages"].items()]
    return [*rows, _row("— around and between the steps", around, floor)]


def _row(name: str, taken: dict[str, Any], floor: float, rows: int | None = None, size: int | None = None) -> str:
    counts = " | ".join("" if count is None else f"{count:,}" for count in (rows, size))
    return (
        f"| {name} | {taken['seconds']:.1f} | {taken['cpu_seconds']:.1f} | {taken['peak_bytes'] / 2**30:.2f} GiB "
        f"| {counts} | {taken['seconds'] / floor:.2f} |"
    )


def _aim(name: str, measured: float, aim: float, form: str) -> str:
    verdict = "met" if measured <= aim else f"missed by {measured / aim - 1:.0%}"
    return f"- {name}: {form.format(measured)} (aim {form.format(aim)}): {verdict}"
