"""The picture that other sites show beside a link to this one (Open Graph)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from coalition.web.filters import sentences

WIDTH, HEIGHT = 1200, 630  # pixels; the shape that most sites crop to
MARGIN = 72
ROOM = WIDTH - 2 * MARGIN  # for a line
RULE = 16
PAPER, INK, SOFT, LINE = "#f7f2e7", "#1c1a17", "#4a453d", "#cfc4ad"
FONTS = Path(__file__).resolve().parents[2] / "static" / "fonts"
HEADLINE_SIZES = range(120, 40, -4)  # the largest at which the headline fits
HEADLINE_ROOM = 300  # pixels


@dataclass(frozen=True)
class Card:
    """What the picture says. `counted` is a whole line, or empty where there is no number."""

    kick: str
    headline: str
    counted: str
    name: str
    accent: str  # written #rrggbb


@lru_cache(maxsize=8)
def draw_card(card: Card) -> bytes:
    """The picture as PNG, WIDTH by HEIGHT pixels."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, RULE), fill=card.accent)
    draw.text((MARGIN, MARGIN), _cut(card.kick, _text(34)), font=_text(34), fill=card.accent)
    font, lines = _fitted(card.headline)
    spacing = round(font.size * 0.14)
    draw.multiline_text(
        (MARGIN, MARGIN + 64), "\n".join(lines), font=font, fill=INK, spacing=spacing
    )
    draw.line((MARGIN, HEIGHT - 150, WIDTH - MARGIN, HEIGHT - 150), fill=LINE, width=3)
    baseline = HEIGHT - 84
    draw.text((MARGIN, baseline), card.counted, font=_display(56), fill=INK, anchor="ls")
    room = ROOM - 40 - _display(56).getlength(card.counted)
    name = _cut(card.name, _text(30), room)
    draw.text((WIDTH - MARGIN, baseline), name, font=_text(30), fill=SOFT, anchor="rs")
    buffer = io.BytesIO()
    image.quantize(64).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


@lru_cache
def _display(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONTS / "newsreader-display.woff2", size)


@lru_cache
def _text(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(FONTS / "atkinson-hyperlegible-next.woff2", size)
    font.set_variation_by_axes([600])
    return font


def _fitted(headline: str) -> tuple[ImageFont.FreeTypeFont, list[str]]:
    for size in HEADLINE_SIZES:
        font = _display(size)
        lines = _wrapped(headline, font)
        if len(lines) * size * 1.14 <= HEADLINE_ROOM:
            break
    most = int(HEADLINE_ROOM / (size * 1.14))
    return font, [_cut(line, font) for line in lines[:most]]


def _wrapped(words: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """Lines that fit; a sentence begins a line of its own."""
    return [line for sentence in sentences(words) for line in _lines(sentence, font)] or [""]


def _lines(sentence: str, font: ImageFont.FreeTypeFont) -> list[str]:
    lines = [""]
    for word in sentence.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > ROOM:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _cut(line: str, font: ImageFont.FreeTypeFont, room: float = ROOM) -> str:
    if font.getlength(line) <= room:
        return line
    while line and font.getlength(f"{line}…") > room:
        line = line[:-1]
    return f"{line}…"
