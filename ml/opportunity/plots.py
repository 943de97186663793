"""Pictures of opportunities and of how good the models are, as PNG.

Belongs here: drawing frames. Does not: choosing their rows (who reads the marts does), where a picture is shown.

Every picture says in its title what is seen and in which unit; what lies above expectation is drawn like what lies below.
"""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

BELOW, ABOVE, QUIET, INK = "#1f6f8b", "#c8553d", "#9aa5b1", "#22303c"
WIDE = (8.6, 4.6)
DOTS = 100


def top_opportunities(rows: pd.DataFrame, title: str) -> bytes:
    """Bars of `gap` (US dollars) with interval `low` to `high`, and a hollow mark for `plain`, by `label`; first row on top."""
    figure, axes = _figure((8.6, 1.4 + 0.3 * max(len(rows), 3)))
    places = np.arange(len(rows))[::-1]
    gap, low, high = (rows[name].to_numpy(dtype="float64") / 1e6 for name in ("gap", "low", "high"))
    axes.barh(places, gap, height=0.62, color=np.where(gap >= 0, BELOW, ABOVE), label="standardized")
    axes.errorbar(gap, places, xerr=[gap - low, high - gap], fmt="none", ecolor=INK, elinewidth=1, capsize=2)
    axes.scatter(
        rows["plain"].to_numpy(dtype="float64") / 1e6,
        places,
        marker="D",
        s=22,
        facecolors="white",
        edgecolors=INK,
        zorder=3,
    )
    axes.set_yticks(places, _cut(rows["label"], 44), fontsize=8)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("million US dollars: bar standardized gap with 95 % interval, diamond plain gap", fontsize=8)
    return _finished(figure, axes, title)


def gap_against_volume(cells: pd.DataFrame, title: str) -> bytes:
    """Every cell's `gap_rate` (share of the expected payment) against `discharges`; those `is_told` from chance in colour,
    on both sides. What was paid more than twice what was expected lies on the lower edge."""
    figure, axes = _figure(WIDE)
    told = cells["is_told"].fillna(False).to_numpy(dtype=bool)
    volume = cells["discharges"].to_numpy(dtype="float64")
    rate = np.clip(100 * cells["gap_rate"].to_numpy(dtype="float64"), -100, 60)
    for chosen, size, colour, label in (
        (~told, 2, QUIET, "not told from chance"),
        (told & (rate > 0), 5, BELOW, "paid less than expected"),
        (told & (rate < 0), 5, ABOVE, "paid more than expected"),
    ):
        axes.scatter(volume[chosen], rate[chosen], s=size, color=colour, alpha=0.5, linewidths=0, label=label)
    axes.set_xscale("log")
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("discharges of the hospital in the DRG (log scale)", fontsize=8)
    axes.set_ylabel("expected less paid, % of expected", fontsize=8)
    axes.legend(fontsize=8, frameon=False, markerscale=4, loc="lower right")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    return _finished(figure, axes, title)


def state_ranking(rows: pd.DataFrame, title: str) -> bytes:
    """By `state`, `plain_rate` and `standardized_rate` (share of what Medicare paid), a line between the two."""
    figure, axes = _figure((8.6, 1.4 + 0.17 * max(len(rows), 8)))
    places = np.arange(len(rows))[::-1]
    plain, standardized = (100 * rows[name].to_numpy(dtype="float64") for name in ("plain_rate", "standardized_rate"))
    axes.hlines(places, standardized, plain, color=QUIET, linewidth=1)
    axes.scatter(plain, places, s=16, facecolors="white", edgecolors=INK, label="plain gap", zorder=3)
    axes.scatter(standardized, places, s=16, color=BELOW, label="standardized shortfall", zorder=3)
    axes.set_yticks(places, rows["state"], fontsize=7)
    axes.set_ylim(-0.8, len(rows) - 0.2)
    axes.set_xlabel("% of what Medicare paid to the hospitals of the state", fontsize=8)
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    return _finished(figure, axes, title)


def calibration_plot(bins: pd.DataFrame, title: str) -> bytes:
    """What came as a ratio to what was expected, by tenth of the discharges: `expected`, `actual`, `series`."""
    figure, axes = _figure(WIDE)
    for (name, rows), colour in zip(bins.groupby("series", sort=True), (BELOW, ABOVE, QUIET, INK), strict=False):
        rows = rows.sort_values("bin_number")
        off = 100 * (rows["actual"].astype("float64") / rows["expected"].astype("float64") - 1)
        axes.plot(rows["bin_number"], off, marker="o", markersize=4, color=colour, linewidth=1.4, label=str(name))
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set_xticks(range(1, 11))
    axes.set_ylim(*(np.array([-1, 1]) * max(5.0, *np.abs(axes.get_ylim()))))
    axes.set_xlabel("tenth of the discharges, lowest expectation first", fontsize=8)
    axes.set_ylabel("came above (+) or below (-) expectation, %", fontsize=8)
    axes.legend(fontsize=8, frameon=False)
    return _finished(figure, axes, title)


def back_test_plot(rows: pd.DataFrame, title: str) -> bytes:
    """For each `label`: slope with interval, the slope of chance and the reversed one."""
    figure, axes = _figure((8.6, 1.6 + 0.42 * max(len(rows), 2)))
    places = np.arange(len(rows), dtype="float64")[::-1]
    slope, low, high, chance, backward = (
        rows[name].to_numpy(dtype="float64")
        for name in ("slope", "slope_low", "slope_high", "chance_slope", "reversed_slope")
    )
    axes.errorbar(
        slope,
        places,
        xerr=[slope - low, high - slope],
        fmt="o",
        color=BELOW,
        capsize=3,
        markersize=5,
        label="earlier gap, later change",
    )
    axes.scatter(
        backward, places - 0.16, marker="s", s=22, color=ABOVE, label="the same with the years exchanged", zorder=3
    )
    axes.scatter(
        chance, places + 0.16, marker="D", s=22, facecolors="white", edgecolors=INK, label="noise alone", zorder=3
    )
    axes.set_yticks(places, rows["label"], fontsize=8)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("change per unit of gap: 0 nothing closed, 1 every gap closed", fontsize=8)
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=3)
    return _finished(figure, axes, title)


def share_plot(rows: pd.DataFrame, title: str) -> bytes:
    """By `label`, a hospital's share (0 to 1) with `low` and `high` against its peers' 20th to 80th percentile."""
    figure, axes = _figure((8.6, 1.4 + 0.3 * max(len(rows), 3)))
    places = np.arange(len(rows))[::-1]
    share, low, high, p20, median, p80 = (
        100 * rows[name].to_numpy(dtype="float64") for name in ("share", "low", "high", "p20", "median", "p80")
    )
    axes.barh(places, p80 - p20, left=p20, height=0.62, color="#dfe5ea", label="peers, 20th to 80th percentile")
    axes.scatter(median, places, marker="|", s=90, color=INK, label="peers' median", zorder=3)
    colours = np.where(high < median, BELOW, np.where(low > p80, ABOVE, QUIET))
    axes.hlines(places, low, high, color=colours, linewidth=1.6)
    axes.scatter(share, places, s=26, color=colours, zorder=4, label="this hospital, 95 % interval")
    axes.set_yticks(places, _cut(rows["label"], 50), fontsize=8)
    axes.set_xlim(0, 100)
    axes.set_xlabel("% of the family's stays in the severe member", fontsize=8)
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=3)
    return _finished(figure, axes, title)


def _cut(labels: pd.Series, width: int) -> pd.Series:
    """Labels of at most so many letters."""
    texts = labels.astype(str)
    return texts.where(texts.str.len() <= width, texts.str.slice(0, width - 1).str.rstrip() + "…")


def _figure(size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, dpi=DOTS, layout="constrained")
    return figure, figure.subplots()


def _finished(figure: Figure, axes: Axes, title: str) -> bytes:
    # Over the whole picture: long names beside the axes would push a title of the axes out of it.
    figure.suptitle(title, x=0.01, horizontalalignment="left", fontsize=10, color=INK, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, colors=INK)
    written = io.BytesIO()
    # Without the program's name and version in it, the same picture is the same bytes.
    figure.savefig(written, format="png", metadata={"Software": None})
    return written.getvalue()
