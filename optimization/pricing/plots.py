"""The report's pictures, drawn with matplotlib and no screen.

Belongs here: one function per picture, from tables to a figure's bytes. Does not: the tables (explain.py), where a picture
stands (report.py).
"""

from __future__ import annotations

import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter  # noqa: E402

from optimization.pricing.answer import Answer  # noqa: E402
from optimization.pricing.frontier import Frontier  # noqa: E402
from optimization.pricing.instance import Instance  # noqa: E402
from optimization.pricing.robust import Robustness  # noqa: E402

BEFORE, AFTER, LIMIT, QUIET = "#9aa5b1", "#1f6f8b", "#c0392b", "#52606d"
plt.rcParams.update({"font.size": 9, "axes.labelsize": 9, "legend.fontsize": 9})
MOST_BARS = 20
DPI = 130


def prices_against_benchmark(changes: pd.DataFrame) -> bytes:
    """How much of the spend is paid at which multiple of the benchmark, before and after."""
    figure, axes = _new(7.2, 3.2)
    weight = changes["volume"] * changes["medicare_rate"]
    ratios = [changes[name].astype(float) / changes["medicare_rate"] for name in ("baseline_price", "price")]
    low, high = min(r.min() for r in ratios), max(r.max() for r in ratios)
    edges = np.linspace(low - 0.02, high + 0.02, 41).tolist()
    axes.hist(ratios[0], edges, weights=weight, color=BEFORE, alpha=0.75, label="today")
    axes.hist(ratios[1], edges, weights=weight, histtype="step", color=AFTER, linewidth=2, label="proposed")
    axes.set_xlabel("price ÷ benchmark rate")
    axes.set_ylabel("spend at the benchmark, USD")
    axes.yaxis.set_major_formatter(FuncFormatter(_money))
    axes.legend(frameon=False)
    return _bytes(figure)


def providers_by_change(providers: pd.DataFrame) -> bytes:
    """The largest losers and winners of revenue."""
    half = MOST_BARS // 2
    shown = providers if len(providers) <= MOST_BARS else pd.concat([providers.head(half), providers.tail(half)])
    figure, axes = _new(7.2, 0.9 + 0.27 * len(shown))
    at = np.arange(len(shown))[::-1]
    axes.barh(at, shown["change"], color=np.where(shown["change"] < 0, LIMIT, AFTER), height=0.65)
    axes.set_yticks(at, shown["provider"])
    axes.axvline(0, color=QUIET, linewidth=0.8)
    axes.margins(x=0.18)
    for place, change, share in zip(at, shown["change"], shown["change_share"], strict=True):
        text = f"{share:+.1%}" if np.isfinite(share) else ""
        axes.annotate(
            text, (change, place), (4 if change >= 0 else -4, 0), textcoords="offset points", va="center",
            ha="left" if change >= 0 else "right", fontsize=8, color=QUIET,
        )  # fmt: skip
    axes.set_xlabel("change of revenue, USD a year")
    axes.xaxis.set_major_formatter(FuncFormatter(_money))
    return _bytes(figure)


def spreads_against_caps(caps: pd.DataFrame) -> bytes:
    """Spread of prices before and after as shares of the cap, the fullest."""
    shown = caps[caps["cap"] > 0].head(MOST_BARS)
    figure, axes = _new(7.2, 1.0 + 0.27 * max(1, len(shown)))
    at = np.arange(len(shown))[::-1]
    before, after = shown["before"] / shown["cap"], shown["after"] / shown["cap"]
    axes.hlines(at, np.minimum(before, after), np.maximum(before, after), color="#d3dae1", linewidth=3)
    axes.scatter(before, at, color=BEFORE, s=36, label="today", zorder=3)
    axes.scatter(after, at, color=AFTER, s=36, label="proposed", zorder=3)
    axes.axvline(1, color=LIMIT, linewidth=1.2, label="cap")
    axes.set_yticks(at, shown["id"])
    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, 0))
    axes.set_xlabel("spread as a share of its cap")
    axes.margins(y=0.08 if len(shown) > 4 else 0.4)
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return _bytes(figure)


def rules_by_cost(costs: pd.DataFrame) -> bytes:
    """What dropping a kind of rules, or a single rule, would save; the dearest."""
    kinds = costs[costs["rule"].str.startswith("every ") & (costs["saved_by_dropping"] > 0)]
    singles = costs[~costs["rule"].str.startswith("every ") & (costs["saved_by_dropping"] > 0)]
    shown = pd.concat([kinds, singles.head(MOST_BARS - len(kinds))])
    figure, axes = _new(7.2, 0.9 + 0.27 * max(1, len(shown)))
    at = np.arange(len(shown))[::-1]
    axes.barh(
        at,
        shown["saved_by_dropping"],
        color=np.where(shown["rule"].str.startswith("every "), QUIET, AFTER),
        height=0.65,
    )
    axes.set_yticks(at, shown["rule"])
    axes.set_xlabel("saved a year if it were dropped (grey: all rules of a kind)")
    axes.xaxis.set_major_formatter(FuncFormatter(_money))
    return _bytes(figure)


def frontier_line(found: Frontier) -> bytes:
    """Savings against what they cost, with the knee and every point."""
    known = found.points[found.points["savings_share"].notna()]
    figure, axes = _new(7.2, 3.6)
    x = known["setting" if found.against == "fairness" else "deviation_share"]
    axes.plot(x, known["savings_share"], color=AFTER, marker="o", markersize=4, linewidth=1.4)
    if found.against == "fairness":
        axes.axvline(1, color=BEFORE, linewidth=1, linestyle="--")
        axes.annotate(
            "caps as they are", (1, axes.get_ylim()[0]), (4, 6), textcoords="offset points", color=QUIET, fontsize=8
        )
        axes.set_xlabel("caps on regional spread, times what they are")
    else:
        axes.set_xlabel("Σ volume × |price − today's price|, as a share of today's spend")
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    knee = found.knee
    if knee is not None:
        point = (knee["setting" if found.against == "fairness" else "deviation_share"], knee["savings_share"])
        axes.scatter(*point, s=90, facecolor="none", edgecolor=LIMIT, linewidth=1.8, zorder=4)
        axes.annotate("knee", point, (8, -14), textcoords="offset points", color=LIMIT)
    axes.set_ylabel("savings")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    return _bytes(figure)


def savings_drawn(found: Robustness) -> bytes:
    """Savings over drawn volumes, their interval and the target."""
    figure, axes = _new(7.2, 3.0)
    # Where volumes never varied, all draws save the same but for a float's last digits, which are no 40 bins apart.
    axes.hist(found.savings, 40 if np.ptp(found.savings) > 1e-9 else 1, color=AFTER, alpha=0.8)
    axes.axvspan(found.low, found.high, color=BEFORE, alpha=0.25, label=f"{found.level:.0%} of draws", zorder=0)
    if found.target is not None:
        axes.axvline(found.target, color=LIMIT, linewidth=1.6, label=f"target {found.target:.2%}")
    axes.xaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("savings")
    axes.set_ylabel("draws")
    axes.legend(frameon=False)
    return _bytes(figure)


def bound_and_incumbent(answer: Answer) -> bytes:
    """How the solver closed in on the answer."""
    figure, axes = _new(7.2, 3.0)
    seconds = [moment.seconds for moment in answer.history]
    axes.step(seconds, [moment.incumbent for moment in answer.history], where="post", color=AFTER, label="best list")
    axes.step(seconds, [moment.bound for moment in answer.history], where="post", color=LIMIT, label="bound")
    axes.set_xlabel("seconds")
    axes.yaxis.set_major_formatter(FuncFormatter(_money))
    axes.legend(frameon=False)
    return _bytes(figure)


def tiers_before_and_after(asked: Instance, moves: pd.DataFrame) -> bytes:
    """Pairs in each tier, proposed, by where today's price lies."""
    figure, axes = _new(7.2, 3.0)
    bottom = np.zeros(len(asked.tiers))
    order = moves.groupby("tier_before")["pairs"].sum().sort_values(ascending=False).index[:8]
    colours = plt.get_cmap("cividis")(np.linspace(0.1, 0.95, len(order)))
    for before, colour in zip(order, colours, strict=True):
        of = moves[moves["tier_before"] == before].set_index("tier")["pairs"].reindex(asked.tiers).fillna(0).to_numpy()
        axes.bar(asked.tiers, of, bottom=bottom, color=colour, label=before, width=0.6)
        bottom += of
    axes.set_ylabel("pairs")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(title="today's price is", frameon=False, fontsize=8, bbox_to_anchor=(1, 1), loc="upper left")
    return _bytes(figure)


def _new(width: float, height: float) -> tuple[Figure, Axes]:
    figure, axes = plt.subplots(figsize=(width, height))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    return figure, axes


def _bytes(figure: Figure) -> bytes:
    written = io.BytesIO()
    # No date and no version inside: the same question draws the same bytes.
    figure.savefig(written, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return written.getvalue()


def _money(value: float, _: object = None) -> str:
    for size, letter in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:,.4g} {letter}"
    return f"{value:,.4g}"
