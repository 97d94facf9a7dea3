"""Pictures that somebody sent: read with care, drawn anew, made small.

What comes out was encoded here: whatever else the file carried (place, camera, a second file)
stays behind.
"""

from __future__ import annotations

import io
import threading
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

LARGEST_FILE = 2 * 1024 * 1024  # bytes
LONGEST_READ = 5_000  # pixels
LARGEST_READ = 8_000_000  # pixels in all: a picture is unpacked in memory, 4 bytes a pixel
LONGEST_SIDE = 480  # pixels, as it is kept
LARGEST_KEPT = 60_000  # bytes
FORMATS = ("PNG", "JPEG", "WEBP")
QUALITIES = (90, 80, 65, 45)
SIDES = (LONGEST_SIDE, 240, 120)
MEDIA_TYPE = "image/webp"
TOO_LARGE = "The logo is larger than 2 MB. Save it smaller, and choose it again"
_ONE_AT_A_TIME = threading.Lock()  # a small file can unpack to much memory


class LogoRefused(ValueError):
    """The file cannot be used; the message says why, and what to do."""


@dataclass(frozen=True)
class Drawn:
    """A logo as it is kept: WebP."""

    data: bytes
    width: int
    height: int


def draw_logo(data: bytes) -> Drawn:
    """The picture in `data`, a PNG, JPEG or WebP file, at LONGEST_SIDE and LARGEST_KEPT at most.

    Raises LogoRefused.
    """
    if not data:
        raise LogoRefused("The file is empty. Choose another one")
    if len(data) > LARGEST_FILE:
        raise LogoRefused(TOO_LARGE)
    if _is_svg(data):
        raise LogoRefused(
            "We do not take SVG files: they can carry programs. Save the logo as PNG, and choose "
            "that"
        )
    with _ONE_AT_A_TIME:
        return _encode(_read(data))


def _is_svg(data: bytes) -> bool:
    start = data[:1000].lstrip().lower()
    return start.startswith((b"<svg", b"<?xml", b"<!doctype svg", b"\xef\xbb\xbf<")) or (
        b"<svg" in start
    )


def _read(data: bytes) -> Image.Image:
    try:
        with warnings.catch_warnings():
            # Pillow warns of what may be a decompression bomb; LONGEST_READ is stricter.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=FORMATS)
            _refuse_what_is_too_much(image)
            image.load()
            return ImageOps.exif_transpose(image).convert("RGBA")
    except LogoRefused:
        raise
    except UnidentifiedImageError as error:
        raise LogoRefused(
            "This is not a PNG, JPEG or WebP picture. Save the logo as PNG, and choose that"
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large("The picture") from error
    except Exception:  # readers of pictures fail in many ways on odd ones
        raise LogoRefused(
            "The picture is damaged, or cut short. Open it in a picture program, save it as PNG, "
            "and choose that"
        ) from None


def _refuse_what_is_too_much(image: Image.Image) -> None:
    width, height = image.size
    if max(width, height) > LONGEST_READ or width * height > LARGEST_READ:
        raise _too_large(f"The picture, {width} by {height} pixels,")
    # Some cameras put several still pictures into one JPEG file: the first is taken.
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise LogoRefused(
            "The picture moves, and pictures that move keep some people from reading. "
            "Save it as one still picture"
        )


def _too_large(what: str) -> LogoRefused:
    return LogoRefused(
        f"{what} is too large to open. Save it with at most 2,000 pixels on each side"
    )


def _encode(image: Image.Image) -> Drawn:
    """The largest and best that is small enough; the last is, whatever it shows."""
    for side in SIDES:
        small = image.copy()
        small.thumbnail((side, side), Image.Resampling.LANCZOS)
        for quality in QUALITIES:
            buffer = io.BytesIO()
            small.save(buffer, "WEBP", quality=quality, method=6)
            if buffer.tell() <= LARGEST_KEPT:
                return Drawn(buffer.getvalue(), *small.size)
    return Drawn(buffer.getvalue(), *small.size)
