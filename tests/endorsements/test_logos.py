"""Logos: whatever is sent, what is kept is a small still picture without anything hidden."""

from __future__ import annotations

import contextlib
import io
import random
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from coalition.endorsements.logos import (
    LARGEST_FILE,
    LARGEST_KEPT,
    LONGEST_READ,
    LONGEST_SIDE,
    LogoRefused,
    draw_logo,
)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(width: int = 40, height: int = 30, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (width, height), "red" if mode in ("RGB", "RGBA") else 1)


def png_that_says(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes whose heading promises a picture of any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    return encoded(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "do not take SVG"),
        (b"<?xml version='1.0'?><svg/>", "do not take SVG"),
        (b"\xef\xbb\xbf<svg/>", "do not take SVG"),
        (b"<!-- a note --><svg onload='alert(1)'/>", "do not take SVG"),
        (b"GIF89a" + b"\0" * 100, "not a PNG, JPEG or WebP"),
        (encoded(picture(), "GIF"), "not a PNG, JPEG or WebP"),
        (encoded(picture(), "BMP"), "not a PNG, JPEG or WebP"),
        (encoded(picture(), "TIFF"), "not a PNG, JPEG or WebP"),
        (b"<html>not a picture</html>", "not a PNG, JPEG or WebP"),
        (b"\x89PNG\r\n\x1a\nand then words", "PNG"),
        (encoded(picture())[:-30], "damaged"),
        (encoded(picture(400, 400), "JPEG")[:300], "damaged"),
        (encoded(picture(300, 300), "WEBP")[:60], "damaged"),
        (png_that_says(30_000, 30_000), "too large to open"),
        (png_that_says(30_000, 10), "30000 by 10 pixels, is too large"),
        (png_that_says(LONGEST_READ + 1, 1), "too large to open"),
        (png_that_says(4_000, 4_000), "too large to open"),
        (png_that_says(2**31 - 1, 2**31 - 1), "too large to open|damaged"),
        (moving("PNG"), "moves"),
        (moving("WEBP"), "moves"),
        (b"\0" * (LARGEST_FILE + 1), "larger than 2 MB"),
    ],
    ids=lambda value: value[:16].hex() if isinstance(value, bytes) else value,
)
def test_what_is_no_logo_is_refused_with_the_reason(data: bytes, why: str) -> None:
    with pytest.raises(LogoRefused, match=why):
        draw_logo(data)


def test_no_bytes_at_all_lead_to_anything_but_a_refusal_or_a_logo() -> None:
    chance = random.Random(7)
    whole = encoded(picture(60, 60))
    for _ in range(200):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            data[chance.randrange(8, len(data))] = chance.randrange(256)
        with contextlib.suppress(LogoRefused):
            assert draw_logo(bytes(data)).data


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("size", [(1, 1), (40, 30), (2000, 500), (3, 4000)])
def test_a_logo_is_kept_small(kind: str, size: tuple[int, int]) -> None:
    drawn = draw_logo(encoded(picture(*size), kind))
    image = Image.open(io.BytesIO(drawn.data))
    assert image.format == "WEBP"
    assert (drawn.width, drawn.height) == image.size
    assert max(image.size) <= LONGEST_SIDE
    assert len(drawn.data) <= LARGEST_KEPT


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGBA", "CMYK", "I;16"])
def test_any_way_of_storing_colours_can_be_read(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    assert draw_logo(encoded(Image.new(mode, (20, 20)), kind)).width == 20


def test_even_noise_is_kept_small() -> None:
    noise = random.Random(1).randbytes(600 * 600 * 3)
    image = Image.frombytes("RGB", (600, 600), noise)
    assert len(draw_logo(encoded(image, "JPEG", quality=60)).data) <= LARGEST_KEPT


def test_what_a_picture_carries_beside_the_picture_stays_behind() -> None:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "taken at home")
    exif = Image.Exif()
    exif[0x010F] = "taken at home"
    for data in (
        encoded(picture(), pnginfo=notes),
        encoded(picture(), "JPEG", exif=exif, comment=b"taken at home"),
        encoded(picture()) + b"taken at home",
    ):
        assert b"taken at home" in data
        assert b"taken at home" not in draw_logo(data).data


def test_a_picture_that_was_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    drawn = draw_logo(encoded(picture(40, 20), "JPEG", exif=exif))
    assert (drawn.width, drawn.height) == (20, 40)


def test_odd_notes_beside_a_picture_do_no_harm() -> None:
    turned = struct.pack(">HHIHH", 0x0112, 3, 1, 3, 0)
    no_ratio = struct.pack(">HHI4s", 0x011A, 7, 4, b"abcd")  # XResolution, of a wrong type
    exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2) + turned + no_ratio + b"\0" * 4
    with contextlib.suppress(LogoRefused):
        assert draw_logo(encoded(picture(40, 20), "JPEG", exif=exif)).width == 40


def test_what_can_be_seen_through_stays_so() -> None:
    clear = Image.new("RGBA", (30, 30), (255, 0, 0, 0))
    image = Image.open(io.BytesIO(draw_logo(encoded(clear)).data))
    assert image.convert("RGBA").getpixel((5, 5))[3] == 0  # type: ignore[index]
