"""SVG: draws a picture: the network left with a row a subnet, services right, lines between. No font is measured."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from policies.diagram.picture import Item, Picture, Zone

_CHIP, _GAP, _ROW, _TOP = (150, 40), 12, 26, 110
_NET_X, _COLUMNS = 230, 4
_NET_WIDTH = _COLUMNS * (_CHIP[0] + _GAP) + 3 * _GAP
_SERVICE_X = _NET_X + _NET_WIDTH + 330
_SERVICE = (250, 46)
_WIDTH = _SERVICE_X + _SERVICE[0] + 40
_STYLES = {
    "calls": "stroke:#b45309;stroke-width:2.2",
    "private endpoint": "stroke:#1d4ed8;stroke-width:1.8",
    "service endpoint": "stroke:#1d4ed8;stroke-width:1.4;stroke-dasharray:6 4",
    "identity": "stroke:#15803d;stroke-width:1.1;stroke-opacity:.75",
}
Box = tuple[float, float, float, float]
"""x, y, width, height."""


def svg(picture: Picture) -> str:
    """The drawing, a text that ends with a line break."""
    boxes: dict[str, Box] = {}
    ground, items = list(_network(picture, boxes)), list(_services(picture, boxes))
    items += [_item(each, boxes[each.key], "#ffffff", "#64748b") for zone in picture.zones for each in zone.items]
    height = max(y + tall for _, y, _, tall in boxes.values()) + 70
    boxes["internet"] = (30, _TOP + 60, 140, 70)
    lines = [text for each in picture.lines for text in _line(boxes[each[0]], boxes[each[1]], each[2])]
    internet = _box(boxes["internet"], "#fff7ed", "#b45309", rounded=35) + _text(
        boxes["internet"], "Internet", "people, banks", middle=True
    )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        'font-family="Helvetica, Arial, sans-serif">'
    )
    title = f'<text x="30" y="44" font-size="22" font-weight="600" fill="#111827">{escape(picture.title)}</text>'
    markers = "".join(_marker(name, style) for name, style in _STYLES.items())
    paper = f'<rect width="{_WIDTH}" height="{height:.0f}" fill="#ffffff"/>'
    parts = [head, f"<defs>{markers}</defs>", paper, title, *_legend(), *ground, *lines, *items, internet, "</svg>"]
    return "\n".join(parts) + "\n"


def _network(picture: Picture, boxes: dict[str, Box]) -> Iterator[str]:
    y, drawn = _TOP + 46, []
    for zone in picture.zones:
        rows = max(1, -(-len(zone.items) // _COLUMNS))
        tall = _ROW + rows * (_CHIP[1] + _GAP) + (0 if zone.items else -_CHIP[1])
        boxes[zone.key] = (_NET_X + _GAP, y, _NET_WIDTH - 2 * _GAP, tall)
        drawn += _zone(zone, boxes)
        y += tall + _GAP
    whole = (_NET_X, _TOP, _NET_WIDTH, y - _TOP + 4)
    yield _box(whole, "#f8fafc", "#94a3b8", rounded=10)
    yield _heading(_NET_X + 14, "Virtual network")
    yield from drawn


def _zone(zone: Zone, boxes: dict[str, Box]) -> Iterator[str]:
    box = boxes[zone.key]
    yield _box(box, "#eef2f7", "#cbd5e1", rounded=8)
    yield f'<text x="{box[0] + 10:.0f}" y="{box[1] + 18:.0f}" font-size="12" fill="#475569">{escape(zone.title)}</text>'
    for index, item in enumerate(zone.items):
        column, row = index % _COLUMNS, index // _COLUMNS
        x = box[0] + _GAP + column * (_CHIP[0] + _GAP)
        boxes[item.key] = (x, box[1] + _ROW + row * (_CHIP[1] + _GAP), *_CHIP)


def _services(picture: Picture, boxes: dict[str, Box]) -> Iterator[str]:
    yield _heading(_SERVICE_X, "Azure services")
    for index, item in enumerate(picture.services):
        boxes[item.key] = (_SERVICE_X, _TOP + 46 + index * (_SERVICE[1] + 22), *_SERVICE)
        yield _item(item, boxes[item.key], "#eff6ff", "#1d4ed8")


def _heading(x: int, words: str) -> str:
    return f'<text x="{x}" y="{_TOP + 28}" font-size="15" font-weight="600" fill="#334155">{words}</text>'


def _item(item: Item, box: Box, fill: str, stroke: str) -> str:
    return _box(box, fill, stroke) + _text(box, item.title, item.note)


def _box(box: Box, fill: str, stroke: str, *, rounded: int = 6) -> str:
    x, y, wide, tall = box
    return (
        f'<rect x="{x:.0f}" y="{y:.0f}" width="{wide:.0f}" height="{tall:.0f}" rx="{rounded}" '
        f'fill="{fill}" stroke="{stroke}"/>'
    )


def _text(box: Box, title: str, note: str, *, middle: bool = False) -> str:
    x, y, wide, tall = box
    place = f'x="{x + wide / 2:.0f}" text-anchor="middle"' if middle else f'x="{x + 9:.0f}"'
    first, second = y + tall / 2 - 3, y + tall / 2 + 12
    fits = int(wide / 6.1)
    shown = note if len(note) <= fits else note[: fits - 1] + "…"
    return (
        f'<text {place} y="{first:.0f}" font-size="13" font-weight="600" fill="#111827">{escape(title)}</text>'
        f'<text {place} y="{second:.0f}" font-size="10.5" fill="#4b5563">{escape(shown)}</text>'
    )


def _line(start: Box, end: Box, kind: str) -> Iterator[str]:
    """A curve between the nearest sides; within the network it bends out to the left."""
    (x1, y1, w1, h1), (x2, y2, w2, h2) = start, end
    if x2 > x1 + w1:  # to the right
        a, b = (x1 + w1, y1 + h1 / 2), (x2, y2 + h2 / 2)
        bend = max(60.0, (b[0] - a[0]) / 2)
        c1, c2 = (a[0] + bend, a[1]), (b[0] - bend, b[1])
    elif x1 > x2 + w2:  # to the left
        a, b = (x1, y1 + h1 / 2 + 8), (x2 + w2, y2 + h2 / 2 + 8)
        bend = max(40.0, (a[0] - b[0]) / 2)
        c1, c2 = (a[0] - bend, a[1]), (b[0] + bend, b[1])
    else:
        a, b = (x1, y1 + h1 / 2), (x2, y2 + h2 / 2)
        bend = 40 + abs(b[1] - a[1]) / 6
        c1, c2 = (a[0] - bend, a[1]), (b[0] - bend, b[1])
    yield (
        f'<path d="M{a[0]:.0f},{a[1]:.0f} C{c1[0]:.0f},{c1[1]:.0f} {c2[0]:.0f},{c2[1]:.0f} {b[0]:.0f},{b[1]:.0f}" '
        f'fill="none" style="{_STYLES[kind]}" marker-end="url(#{_id(kind)})"/>'
    )


def _id(kind: str) -> str:
    return kind.replace(" ", "-")


def _marker(kind: str, style: str) -> str:
    colour = style.split(":", 1)[1].split(";", 1)[0]
    return (
        f'<marker id="{_id(kind)}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto" '
        f'markerUnits="userSpaceOnUse"><path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
    )


def _legend() -> Iterator[str]:
    said = {"calls": "calls", "private endpoint": "private endpoint", "service endpoint": "service endpoint"}
    said["identity"] = "identity has a role"
    for index, (kind, words) in enumerate(said.items()):
        x = 30 + index * 190
        yield f'<path d="M{x},76 h34" fill="none" style="{_STYLES[kind]}" marker-end="url(#{_id(kind)})"/>'
        yield f'<text x="{x + 44}" y="80" font-size="12" fill="#374151">{words}</text>'
