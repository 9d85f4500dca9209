"""Plots as SVG: lines over two logarithmic axes, in colours that read on white and on black."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 60, 220, 40, 48
COLOURS = ("#d1495b", "#2a7fba", "#3c9d5d", "#b07d12", "#8a5fbf", "#5f7a86", "#c4602d", "#2b9a93")
DASHES = ("", "6 4")
STYLE = "text{font:12px sans-serif;fill:#777}.grid{stroke:#999;stroke-opacity:.35}path{fill:none;stroke-width:2}"


@dataclass(frozen=True)
class Plot:
    """Some lines of points; those whose names are alike up to the comma share a colour, and differ in their dashes."""

    title: str
    x_name: str
    y_name: str
    series: Mapping[str, Sequence[tuple[float, float]]]

    def svg(self) -> str:
        """Return it as a file."""
        parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
        parts += [f"<title>{escape(self.title)}</title><style>{STYLE}</style>"]
        parts += [_text(LEFT, 20, self.title), *self._grid()]
        for row, (name, points) in enumerate(self.series.items()):
            colour, dash = self._look(name)
            path = " L".join(f"{self._x(x):.1f} {self._y(y):.1f}" for x, y in points)
            parts.append(f'<path d="M{path}" stroke="{colour}" stroke-dasharray="{dash}"/>')
            at, left = TOP + 12 + row * 20, WIDTH - RIGHT + 16
            parts.append(f'<path d="M{left} {at - 4} h24" stroke="{colour}" stroke-dasharray="{dash}"/>')
            parts.append(_text(left + 30, at, name))
        return "\n".join([*parts, "</svg>", ""])

    def _look(self, name: str) -> tuple[str, str]:
        """Return colour and dashes."""
        families = list(dict.fromkeys(_family(each) for each in self.series))
        alike = [each for each in self.series if _family(each) == _family(name)]
        return COLOURS[families.index(_family(name)) % len(COLOURS)], DASHES[alike.index(name) % len(DASHES)]

    def _grid(self) -> list[str]:
        parts = []
        for x in dict.fromkeys(x for points in self.series.values() for x, _ in points):
            at = self._x(x)
            parts.append(f'<line class="grid" x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
            parts.append(_text(at, HEIGHT - BOTTOM + 16, f"{x:,g}", "middle"))
        for y in self._marks():
            at = self._y(y)
            parts.append(f'<line class="grid" y1="{at:.1f}" y2="{at:.1f}" x1="{LEFT}" x2="{WIDTH - RIGHT}"/>')
            parts.append(_text(LEFT - 6, at + 4, f"{y:g}", "end"))
        parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, self.x_name, "middle"))
        parts.append(_text(LEFT - 6, TOP - 6, self.y_name, "end"))
        return parts

    def _marks(self) -> list[float]:
        """Return 1, 2, 5, 10, … as far as they are in sight."""
        low, high = self._range(1)
        steps = (base * 10**power for power in range(-4, 7) for base in (1, 2, 5))
        return [step for step in steps if low <= step <= high]

    def _range(self, axis: int) -> tuple[float, float]:
        values = [point[axis] for points in self.series.values() for point in points]
        room = 1.3 if axis else 1.0
        return max(min(values, default=1.0), 1e-4) / room, max(1e-4, *values) * room

    def _x(self, x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * _share(x, *self._range(0))

    def _y(self, y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * _share(y, *self._range(1))


def _share(value: float, low: float, high: float) -> float:
    """Return where a value lies between two others, by its logarithm."""
    return math.log(max(value, low) / low) / math.log(high / low) if high > low else 0.5


def _family(name: str) -> str:
    return name.partition(",")[0]


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
