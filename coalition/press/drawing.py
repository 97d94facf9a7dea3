"""Drawing charts: in the campaign's colour, readable without it.

Drawn by Matplotlib, without its `pyplot`, which keeps state of its own. The same chart is the same
byte for byte.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from matplotlib import font_manager, rcParams
from matplotlib.dates import AutoDateLocator, num2date
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from PIL import Image

import coalition.petition.typesetting
from coalition.press.charts import HEIGHT, WIDTH, Chart, Shape

DOTS = 100  # pixels an inch
MARGIN = 44  # pixels at the left of the words
TITLE, SOURCE = 90, 60  # pixels of the lines above and below
LARGEST, LARGE, SMALL = 24, 15, 13  # points
PAPER, INK, SOFT, LINE = "#f7f2e7", "#1c1a17", "#4d463b", "#cfc4ab"  # static/css/tokens.css
COLOURS = 48  # of a PNG: two, what lies between them and the paper, and the edges of letters
SHORTEST = 6  # days that a chart shows at least
KEPT = 24  # charts of one process: three, of two formats and two sizes, and those of yesterday

FONTS = Path(coalition.petition.typesetting.__path__[0]) / "fonts"
for _font in ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf"):
    font_manager.fontManager.addfont(FONTS / _font)
rcParams.update(
    {
        "font.family": "Noto Sans",
        "svg.hashsalt": "coalition",  # else its ids are others each time
        "text.parse_math": False,  # a $ is a $
    }
)
_drawing = Lock()  # Matplotlib is not safe in several threads (its documentation, "FAQ")


@lru_cache(KEPT)
def draw(chart: Chart, ending: str, height: int = HEIGHT) -> bytes:
    """The chart as a file, WIDTH by `height` pixels. `ending` is svg or png."""
    with _drawing:
        figure, axes = _sheet(chart, height)
        if chart.labels:
            _DRAW[chart.shape](axes, chart)
        else:
            axes.set_axis_off()
            axes.text(0.5, 0.5, "No day is over yet", ha="center", fontsize=LARGE, color=SOFT)
        return _as_svg(figure, chart) if ending == "svg" else _as_png(figure)


def _sheet(chart: Chart, height: int) -> tuple[Any, Any]:
    figure: Any = Figure(
        (WIDTH / DOTS, height / DOTS), dpi=DOTS, facecolor=PAPER, layout="constrained"
    )
    # Title and source have a line each, whatever stands between them.
    place = (0, SOURCE / height, 1, 1 - (TITLE + SOURCE) / height)
    figure.get_layout_engine().set(w_pad=0.4, h_pad=0.1, rect=place)
    left, middle = MARGIN / WIDTH, TITLE / 2 / height
    figure.text(
        left, 1 - middle, chart.title, va="center", fontsize=LARGEST, fontweight="bold", color=INK
    )
    figure.text(left, SOURCE / 2 / height, chart.source, va="center", fontsize=SMALL, color=SOFT)
    axes = figure.add_subplot(facecolor=PAPER)
    axes.grid(axis="y", color=LINE, linewidth=1)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(INK)
    axes.tick_params(length=0, labelsize=SMALL, labelcolor=INK, pad=8)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}"))
    return figure, axes


def _draw_each_day(axes: Any, chart: Chart) -> None:
    axes.bar(chart.labels, chart.numbers, width=0.9, color=chart.accent)
    axes.axhline(0, color=INK, linewidth=1.2)
    axes.spines["bottom"].set_visible(False)
    if min(each or 0 for each in chart.numbers) >= 0:
        _begin_at_nought(axes, chart, room=1.1)
    _mark_days(axes, chart)


def _draw_total(axes: Any, chart: Chart) -> None:
    axes.fill_between(chart.labels, chart.numbers, color=chart.accent, alpha=0.12, linewidth=0)
    axes.plot(chart.labels, chart.numbers, color=chart.accent, linewidth=3)
    axes.plot(chart.labels[-1:], chart.numbers[-1:], "o", color=chart.accent, markersize=9)
    axes.annotate(
        f"{chart.numbers[-1]:,}", (chart.labels[-1], chart.numbers[-1]), (-10, 12),
        textcoords="offset points", ha="right", fontsize=LARGE, fontweight="bold", color=INK,
    )  # fmt: skip
    _begin_at_nought(axes, chart, room=1.15)
    _mark_days(axes, chart)


def _draw_categories(axes: Any, chart: Chart) -> None:
    places = range(len(chart.labels))
    axes.barh(places, [each or 0 for each in chart.numbers], color=chart.accent, height=0.7)
    for place, number in zip(places, chart.numbers, strict=True):
        words = chart.suppressed if number is None else f"{number:,}"
        axes.annotate(
            words, (number or 0, place), (6, 0), textcoords="offset points", va="center",
            fontsize=SMALL, color=SOFT if number is None else INK,
        )  # fmt: skip
    axes.set_yticks(places, chart.labels, fontsize=SMALL, color=INK)
    axes.set_ylim(len(places) - 0.4, -0.6)
    axes.set_xlim(0, max([each or 0 for each in chart.numbers] + [1]) * 1.25)
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.spines["bottom"].set_visible(False)
    axes.spines["left"].set_visible(True)


_DRAW = {
    Shape.EACH_DAY: _draw_each_day,
    Shape.TOTAL: _draw_total,
    Shape.CATEGORIES: _draw_categories,
}


def _begin_at_nought(axes: Any, chart: Chart, *, room: float) -> None:
    axes.set_ylim(0, max([each or 0 for each in chart.numbers] + [1]) * room)


def _mark_days(axes: Any, chart: Chart) -> None:
    days = [each for each in chart.labels if isinstance(each, date)]
    # A first day alone would be as wide as the sheet.
    first = min(days[0], days[-1] - timedelta(days=SHORTEST))
    axes.set_xlim(first - timedelta(days=1), days[-1] + timedelta(days=1))
    every = AutoDateLocator(minticks=3, maxticks=7, interval_multiples=False)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(every)
    axes.xaxis.set_major_formatter(FuncFormatter(_in_words))


def _in_words(at: float, _: object) -> str:
    day: date = num2date(at)  # type: ignore[no-untyped-call]
    return f"{day.day} {day:%b %Y}"


def _as_svg(figure: Any, chart: Chart) -> bytes:
    held = io.BytesIO()
    told: Mapping[str, str | None] = {
        "Title": chart.title,
        "Description": chart.alternative,
        "Date": None,
        "Creator": None,
    }
    figure.savefig(held, format="svg", metadata=told)
    return held.getvalue()


def _as_png(figure: Any) -> bytes:
    drawn, held = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    # A third of the bytes, for old phones.
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(held, "PNG", optimize=True)
    return held.getvalue()
