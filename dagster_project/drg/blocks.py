"""A page as blocks, and how blocks look: Markdown for a terminal or a file, HTML for a browser.

Belongs here: form. Does not: words, numbers.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

STYLE = """
body { font: 15px/1.5 Georgia, serif; color: #22303c; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { font-family: Helvetica, Arial, sans-serif; line-height: 1.25; }
h1 { font-size: 1.5rem; } h3 { font-size: 0.95rem; } h2 { font-size: 1.1rem; margin-top: 2rem; border-bottom: 1px solid #dfe5ea; }
table { border-collapse: collapse; width: 100%; font: 12px/1.4 Helvetica, Arial, sans-serif; margin: 0.8rem 0; }
th, td { padding: 0.25rem 0.5rem; border-bottom: 1px solid #e8edf1; text-align: right; vertical-align: top; white-space: nowrap; }
th { border-bottom: 2px solid #9aa5b1; } th { white-space: normal; }
th.left, td.left { text-align: left; white-space: normal; }
.notice { background: #f3f6f8; border-left: 4px solid #1f6f8b; padding: 0.6rem 0.9rem; }
img { max-width: 100%; }
"""


@dataclass(frozen=True)
class Heading:
    text: str
    level: int = 2


@dataclass(frozen=True)
class Words:
    text: str
    is_notice: bool = False


@dataclass(frozen=True)
class Points:
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """The first `left` columns stand to the left, the others (numbers) to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1


@dataclass(frozen=True)
class Picture:
    """Shown in HTML alone; Markdown on a terminal has no place for it."""

    name: str
    about: str


Block = Heading | Words | Points | Grid | Picture


def as_markdown(blocks: Sequence[Block]) -> str:
    """Tables are padded, so that they can be read where nothing renders them."""
    return "\n\n".join(text for text in (_markdown(block) for block in blocks) if text) + "\n"


def as_html(blocks: Sequence[Block], pictures: Mapping[str, bytes]) -> str:
    """One file with everything in it. A picture that was not drawn is left out."""
    title = next((block.text for block in blocks if isinstance(block, Heading)), "")
    body = "\n".join(_html(block, pictures) for block in blocks)
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {block.text}"
    if isinstance(block, Words):
        return f"> {block.text}" if block.is_notice else block.text
    if isinstance(block, Points):
        return "\n".join(f"- {line}" for line in block.lines)
    if isinstance(block, Grid):
        rows = [block.columns, *([cell.replace("|", "/") for cell in row] for row in block.rows)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(block.columns))]
        sides = [str.ljust if place < block.left else str.rjust for place in range(len(widths))]
        lines = [
            "| " + " | ".join(side(cell, width) for side, cell, width in zip(sides, row, widths, strict=True)) + " |"
            for row in rows
        ]
        rule = "|" + "|".join(
            "-" * (width + 1) + ("-" if place < block.left else ":") for place, width in enumerate(widths)
        )
        return "\n".join([lines[0], rule + "|", *lines[1:]])
    return ""


def _html(block: Block, pictures: Mapping[str, bytes]) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{html.escape(block.text)}</h{block.level}>"
    if isinstance(block, Words):
        style = ' class="notice"' if block.is_notice else ""
        return f"<p{style}>{html.escape(block.text)}</p>"
    if isinstance(block, Points):
        return "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in block.lines) + "</ul>"
    if isinstance(block, Grid):

        def row(cells: Sequence[str], tag: str) -> str:
            sides = [' class="left"' if place < block.left else "" for place in range(len(cells))]
            inside = (f"<{tag}{side}>{html.escape(cell)}</{tag}>" for side, cell in zip(sides, cells, strict=True))
            return f"<tr>{''.join(inside)}</tr>"

        return f"<table>{row(block.columns, 'th')}{''.join(row(one, 'td') for one in block.rows)}</table>"
    if block.name not in pictures:
        return ""
    data = base64.b64encode(pictures[block.name]).decode()
    return f'<img alt="{html.escape(block.about)}" src="data:image/png;base64,{data}">'
