"""docs/performance.md from what was measured. Belongs here: the page's words. Does not: measuring."""

from __future__ import annotations

from typing import Any

AIM_WHOLE, AIM_DAY, AIM_BYTES = 6.0, 0.10, 6 * 2**30
AIM_GENERATION_SECONDS, AIM_GENERATION_BYTES = 600, 4 * 2**30


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
        f"{marts.get('fct_encounter', 0):,} encounters (by claims and by record), {whole['rows_read']:,} rows in all files; the day more: {day['rows_read'] - whole['rows_read']:,} rows, "
        f"{day['day_bytes']:,} bytes.",
        "",
        "| | seconds | CPU-seconds | peak memory | against the floor |",
        "|---|---|---|---|---|",
        _row("floor: DuckDB alone, the same files, all columns, once to Parquet (zstd)", floor["taken"], floor_s),
        _row("**the whole run**, files to published marts", whole["whole"], floor_s),
    ]
    lines += [_row(f"— {stage}", taken, floor_s) for stage, taken in whole["stages"].items()]
    lines += [_row("**one more day**, the cost of starting included", day["whole"], floor_s)]
    lines += [_row(f"— {stage}", taken, floor_s) for stage, taken in day["stages"].items()]
    lines += [
        _row("a run with nothing new", nothing["whole"], floor_s),
        _row("the cost of starting: nothing new, in a world of ten members", told["start"]["whole"], floor_s),
    ]
    lines += [_row(f"— {stage}", taken, floor_s) for stage, taken in told["start"]["stages"].items()]
    lines += [
        "",
        "| on disk after the whole run | bytes |",
        "|---|---|",
        f"| floor's Parquet | {floor['byte_count']:,} |",
    ]
    lines += [f"| {name} | {count:,} |" for name, count in whole["bytes"].items()]
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
    lines += ["", "## Where the time goes", "", "The models that took longest, in seconds:", ""]
    known_day, known_nothing = dict(day["models"]), dict(nothing["models"])
    lines += ["| model | whole run | one more day | nothing new |", "|---|---|---|---|"]
    lines += [
        f"| `{name}` | {seconds:.1f} | {known_day.get(name, 0):.1f} | {known_nothing.get(name, 0):.1f} |"
        for name, seconds in whole["models"][:20]
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, taken: dict[str, Any], floor: float) -> str:
    return (
        f"| {name} | {taken['seconds']:.1f} | {taken['cpu_seconds']:.1f} | {taken['peak_bytes'] / 2**30:.2f} GiB "
        f"| {taken['seconds'] / floor:.2f} |"
    )


def _aim(name: str, measured: float, aim: float, form: str) -> str:
    verdict = "met" if measured <= aim else f"missed by {measured / aim - 1:.0%}"
    return f"- {name}: {form.format(measured)} (aim {form.format(aim)}): {verdict}"
