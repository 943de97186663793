"""A page as a list of blocks, written as Markdown or as HTML that stands by itself.

Belongs here: headings, paragraphs, tables, figures, and the two ways of writing them. Does not: what a page says (report.py).
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Words:
    text: str


@dataclass(frozen=True)
class Grid:
    """A table: columns of numbers stand to the right. `decimals` by column; two where none is said."""

    frame: pd.DataFrame
    decimals: tuple[tuple[str, int], ...] = ()
    shares: tuple[str, ...] = ()


@dataclass(frozen=True)
class Picture:
    name: str  # the file's name without ending
    about: str  # what one sees, for those who do not
    png: bytes


Block = Heading | Words | Grid | Picture

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1f2933;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin-bottom:.2rem} h2{font-size:1.15rem;margin-top:2.2rem;border-bottom:1px solid #d3dae1;padding-bottom:.2rem}
.wide{overflow-x:auto} table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums;margin:.6rem 0}
th,td{padding:.25rem .7rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #eef1f4} th{color:#52606d;font-weight:600}
td.n,th.n{text-align:right} figure{margin:1rem 0} img{max-width:100%} figcaption{color:#52606d;font-size:.85rem}
@media print{h2{break-after:avoid} figure,table{break-inside:avoid}}
"""


def as_markdown(blocks: Sequence[Block], folder: str = "plots") -> str:
    """The page as Markdown; pictures are named as files below `folder`."""
    parts = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"{'#' * block.level} {block.text}")
        elif isinstance(block, Words):
            parts.append(block.text)
        elif isinstance(block, Picture):
            parts.append(f"![{block.about}]({folder}/{block.name}.png)")
        else:
            right = _right(block)
            names = [str(name).replace("_", " ") for name in block.frame.columns]
            rows = [[cell.replace("|", r"\|") for cell in row] for row in _cells(block)]
            rule = ["---:" if name in right else "---" for name in block.frame.columns]
            parts.append("\n".join("| " + " | ".join(row) + " |" for row in [names, rule, *rows]))
    return "\n\n".join(parts) + "\n"


def as_html(title: str, blocks: Sequence[Block]) -> str:
    """The page as one HTML file, pictures inside."""
    parts = []
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"<h{block.level}>{html.escape(block.text)}</h{block.level}>")
        elif isinstance(block, Words):
            parts.append(f"<p>{html.escape(block.text)}</p>")
        elif isinstance(block, Picture):
            image = base64.b64encode(block.png).decode()
            about = html.escape(block.about, quote=True)
            parts.append(
                f'<figure><img src="data:image/png;base64,{image}" alt="{about}"><figcaption>{about}</figcaption></figure>'
            )
        else:
            right = _right(block)
            side = [' class="n"' if name in right else "" for name in block.frame.columns]
            names = [html.escape(str(name).replace("_", " ")) for name in block.frame.columns]
            head = "".join(f"<th{at}>{name}</th>" for at, name in zip(side, names, strict=True))
            body = "\n".join(
                "<tr>"
                + "".join(f"<td{at}>{html.escape(cell)}</td>" for at, cell in zip(side, row, strict=True))
                + "</tr>"
                for row in _cells(block)
            )
            parts.append(
                f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>'
            )
    head = (
        f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
    )
    return (
        f'<!doctype html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head><body>\n'
        + "\n".join(parts)
        + "\n</body></html>\n"
    )


def _right(block: Grid) -> set[str]:
    def is_number(column: pd.Series) -> bool:
        known = [value for value in column if value is not None]
        return bool(known) and all(
            isinstance(value, int | float | Decimal | np.number) and not isinstance(value, bool | np.bool_)
            for value in known
        )

    return {str(name) for name in block.frame.columns if is_number(block.frame[name])}


def _cells(block: Grid) -> list[list[str]]:
    decimals, right = dict(block.decimals), _right(block)
    columns = [
        [
            _cell(value, str(name) in block.shares, decimals.get(str(name), 2), str(name) in right)
            for value in block.frame[name]
        ]
        for name in block.frame.columns
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _cell(value: object, is_share: bool, decimals: int, is_number: bool) -> str:
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return "–"
    if not is_number:
        return str(value)
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    number = Decimal(str(value)) if not isinstance(value, Decimal) else value
    if not number.is_finite():
        return "none"
    if is_share:
        return f"{number * 100:,.{decimals}f} %"
    text = f"{number:,.{decimals}f}"
    return text.lstrip("-") if not text.strip("-0.,") else text  # no -0.00
