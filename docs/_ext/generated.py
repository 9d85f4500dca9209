"""The Sphinx side: `{generated} NAME` puts a table of `tables` into a page, and `mermaid` draws a state diagram.

The diagram is drawn here, as an SVG in the page: no script, no other program, nothing from the network.
"""

import html
import re
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from tables import TABLES

BOX_WIDTH, BOX_HEIGHT, STEP, LEFT, BEND = 110, 34, 84, 90, 62
_MOVE = re.compile(r"\s*(\w+) --> (\w+): (\w+)")


class Generated(SphinxDirective):
    """`{generated} NAME`."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return what the table's Markdown means."""
        self.env.note_reread()
        return self.parse_text_to_nodes(TABLES[self.arguments[0]](), allow_section_headings=True)


class Mermaid(SphinxDirective):
    """A state diagram whose states only ever move down: they stand in a column, in the order of their first mention."""

    has_content = True
    option_spec: ClassVar[dict[str, object]] = {}

    def run(self) -> list[nodes.Node]:
        """Return the drawing."""
        moves: dict[tuple[str, str], list[str]] = {}
        for line in self.content:
            if match := _MOVE.match(line):
                moves.setdefault((match[1], match[2]), []).append(match[3])
        return [nodes.raw("", _svg({move: ", ".join(events) for move, events in moves.items()}), format="html")]


def _svg(moves: dict[tuple[str, str], str]) -> str:
    names = list(dict.fromkeys(name for move in moves for name in (move[0],)))
    names += [name for _, name in moves if name not in names]
    column = {name: index for index, name in enumerate(dict.fromkeys(names))}
    parts = [_box(name, index) for name, index in column.items()]
    parts += [_arrow(column[begin], column[end], label) for (begin, end), label in moves.items()]
    width, height = LEFT + BOX_WIDTH + BEND * len(column) + 60, STEP * (len(column) - 1) + BOX_HEIGHT + 8
    said = html.escape("; ".join(f"{begin} to {end}: {label}" for (begin, end), label in moves.items()))
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{width}" role="img" aria-label="{said}" '
        'style="max-width:100%;height:auto;font:13px sans-serif;color:inherit" fill="currentColor" stroke="none">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0 0 8 4 0 8z" fill="currentColor"/></marker></defs>{"".join(parts)}</svg>'
    )


def _box(name: str, index: int) -> str:
    top = index * STEP + 4
    return (
        f'<rect x="{LEFT}" y="{top}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="6" '
        'fill="none" stroke="currentColor"/>'
        f'<text x="{LEFT + BOX_WIDTH / 2}" y="{top + 22}" text-anchor="middle">{html.escape(name)}</text>'
    )


def _arrow(begin: int, end: int, label: str) -> str:
    """Draw straight down to the next, round the left to itself, and round the right to one further down."""
    middle, right = LEFT + BOX_WIDTH / 2, LEFT + BOX_WIDTH
    from_y, to_y = begin * STEP + 4 + BOX_HEIGHT / 2, end * STEP + 4 + BOX_HEIGHT / 2
    if begin == end:
        path = f"M{LEFT} {from_y - 8}h-34v16h34"
        at = LEFT - 40, from_y + 4, "end"
    elif end == begin + 1:
        path = f"M{middle} {from_y + BOX_HEIGHT / 2}V{to_y - BOX_HEIGHT / 2}"
        at = middle + 8, (from_y + to_y) / 2 + 4, "start"
    else:
        bend = BEND * (end - begin) - 40
        into = to_y + 4 * (end - begin) - 12
        path = f"M{right} {from_y}h{bend - 10}q10 0 10 10V{into - 10}q0 10-10 10H{right}"
        at = right + bend - 8, from_y - 6, "end"
    return (
        f'<path d="{path}" fill="none" stroke="currentColor" marker-end="url(#tip)"/>'
        f'<text x="{at[0]}" y="{at[1]}" text-anchor="{at[2]}" opacity=".8">{html.escape(label)}</text>'
    )


def show_code(_app: Sphinx, what: str, _name: str, _of: object, _options: object, lines: list[str]) -> None:
    """Show what stands indented in a module's docstring as code; elsewhere an indent is a section of its own."""
    if what != "module":
        return
    shown: list[str] = []
    for line in lines:
        if line.startswith("    ") and shown and not shown[-1] and (len(shown) < 2 or not shown[-2].startswith("    ")):
            shown += ["::", ""]
        shown.append(line)
    lines[:] = shown


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directives."""
    app.add_directive("generated", Generated)
    app.add_directive("mermaid", Mermaid)
    app.connect("autodoc-process-docstring", show_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
