# SPDX-License-Identifier: GPL-2.0-only
"""One migration as a drawing: rows of bars over time."""

from html import escape

ROWS = ("guest I/O", "downtime", "source arcs", "source commands", "destination arcs",
        "destination commands")
COLOURS = ("#7f8c8d", "#c0392b", "#2980b9", "#1f4e79", "#27ae60", "#145a32")
LEFT, WIDTH, ROW, TOP = 170, 1000, 34, 46
MARGIN = 0.15           # of the downtime's length, before and after it


def _tick(span):
    step = 1
    while span / step > 12:
        step *= 10 if span / step > 120 else 2 if span / step < 24 else 5
    return step


def svg(records):
    whole = next(r for r in records if r["row"] == "downtime")
    margin = max(1, whole["to"] * MARGIN)
    first, last = -margin, whole["to"] + margin

    def x(us):
        return LEFT + (min(max(us, first), last) - first) * WIDTH / (last - first)

    height = TOP + ROW * len(ROWS) + 40
    out = ['<!-- SPDX-License-Identifier: GPL-2.0-only -->',
           f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 20} {height}" '
           'font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>',
           f'<text x="{LEFT}" y="20" font-size="14">One migration, state of {escape(whole["what"])}: '
           f'the downtime is {whole["to"] / 1000:.2f} ms (emulated)</text>']
    step = _tick(last - first)
    for t in range(int(first // step + 1) * step, int(last) + 1, step):
        out.append(f'<line x1="{x(t):.1f}" y1="{TOP}" x2="{x(t):.1f}" y2="{TOP + ROW * len(ROWS)}" stroke="#ddd"/>')
        out.append(f'<text x="{x(t):.1f}" y="{TOP + ROW * len(ROWS) + 16}" text-anchor="middle">{t / 1000:g}</text>')
    out.append(f'<text x="{LEFT}" y="{height - 6}">ms since the stop</text>')
    for i, row in enumerate(ROWS):
        y = TOP + i * ROW
        out.append(f'<text x="{LEFT - 8}" y="{y + ROW / 2 + 4}" text-anchor="end">{escape(row)}</text>')
        for r in records:
            if r["row"] != row or r["to"] < first or r["from"] > last:
                continue
            a, b = x(r["from"]), x(r["to"])
            name = f'{r["what"]} {r["to"] - r["from"]} µs'.strip()
            out.append(f'<rect x="{a:.1f}" y="{y + 5}" width="{max(b - a, 1):.1f}" height="{ROW - 10}" '
                       f'fill="{COLOURS[i]}" stroke="white" stroke-width="0.5"><title>{escape(name)}</title></rect>')
            if b - a > 7 * len(r["what"]) and row != "guest I/O":
                out.append(f'<text x="{(a + b) / 2:.1f}" y="{y + ROW / 2 + 4}" text-anchor="middle" '
                           f'fill="white">{escape(r["what"])}</text>')
    out.append("</svg>\n")
    return "\n".join(out)
