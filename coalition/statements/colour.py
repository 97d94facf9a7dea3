"""Contrast between two colours (WCAG 2.2, 1.4.6: at least 7:1 for text)."""

import re

LEAST_CONTRAST = 7.0
# The papers that text in the accent colour stands on; the same values as static/css/tokens.css.
LIGHT_PAPERS = ("#f7f2e7", "#fffdf7")
DARK_PAPERS = ("#171512", "#211e1a")


def contrast(first: str, second: str) -> float:
    """The contrast ratio of two colours written #rrggbb, from 1 to 21 (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def is_colour(text: str) -> bool:
    return re.fullmatch(r"#[0-9a-fA-F]{6}", text) is not None


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
