"""Decoding: what a picture looks like whatever its file format, and what is refused."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vistune.data.media.image import image_size, load_image
from vistune.errors import InputError
from vistune.sample import Media

RNG = np.random.default_rng(0)
SMOOTH = np.stack(np.broadcast_arrays(*np.ogrid[0:240:30, 0:120:10], 99), axis=2).astype(np.uint8)  # 8 high, 12 wide


def encode(image: Image.Image, format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def media(data: bytes) -> Media:
    return Media("image", data=data)


def picture(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(SMOOTH).convert(mode)


@pytest.mark.parametrize("format", ["PNG", "BMP", "TIFF", "PPM"])
def test_lossless_formats_give_the_pixels(format: str) -> None:
    assert np.array_equal(np.asarray(load_image(media(encode(picture(), format)))), SMOOTH)


@pytest.mark.parametrize(
    "format,mode", [("JPEG", "RGB"), ("JPEG", "CMYK"), ("JPEG", "L"), ("WEBP", "RGB"), ("PNG", "P"), ("PNG", "1")]
)
def test_other_formats_and_modes_become_rgb(format: str, mode: str) -> None:
    image = load_image(media(encode(picture(mode), format)))
    assert (image.mode, image.size) == ("RGB", (12, 8))
    if mode in ("RGB", "CMYK"):
        assert np.abs(np.asarray(image).astype(int) - SMOOTH).mean() < 12


def test_sixteen_bit_gray_is_scaled_not_clipped() -> None:
    values = np.array([[0, 257 * 100, 65535]], np.uint16)
    assert np.asarray(load_image(media(encode(Image.fromarray(values), "PNG"))))[0, :, 0].tolist() == [0, 100, 255]


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_of_unknown_range_are_refused(mode: str) -> None:
    with pytest.raises(InputError, match="32-bit pixels of unknown range"):
        load_image(media(encode(picture("L").convert(mode), "TIFF")))


def test_transparency_lies_over_white() -> None:
    array = np.zeros((2, 2, 4), np.uint8)
    array[0, 0] = (10, 20, 30, 255)
    pixels = np.asarray(load_image(media(encode(Image.fromarray(array), "PNG"))))
    assert pixels[0, 0].tolist() == [10, 20, 30]
    assert pixels[1, 1].tolist() == [255, 255, 255]


def test_palette_transparency_lies_over_white() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([0, 0, 0, 200, 0, 0])
    image.putpixel((1, 0), 1)
    pixels = np.asarray(load_image(media(encode(image, "PNG", transparency=0))))
    assert pixels[0].tolist() == [[255, 255, 255], [200, 0, 0]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_and_the_header_size_agrees(orientation: int) -> None:
    upright = picture()
    stored = {
        1: lambda x: x,
        2: lambda x: x[:, ::-1],
        3: lambda x: x[::-1, ::-1],
        4: lambda x: x[::-1],
        5: lambda x: x.transpose(1, 0, 2),
        6: lambda x: np.rot90(x),
        7: lambda x: x[::-1, ::-1].transpose(1, 0, 2),
        8: lambda x: np.rot90(x, -1),
    }[orientation](np.asarray(upright))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encode(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif)
    assert np.array_equal(np.asarray(load_image(media(data))), SMOOTH)
    assert image_size(media(data)) == (12, 8)


@pytest.mark.parametrize("format", ["GIF", "WEBP"])
def test_an_animation_gives_its_first_frame(format: str) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("white", "black")]
    data = encode(frames[0], format, save_all=True, append_images=frames[1:])
    assert np.asarray(load_image(media(data))).min() == 255


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"])
def test_no_truncation_passes(format: str) -> None:
    data = encode(Image.fromarray(RNG.integers(0, 256, (24, 24, 3), np.uint8)), format)
    assert load_image(media(data)).size == (24, 24)
    for length in {len(data) - 1, len(data) - 2, *range(0, len(data), max(1, len(data) // 40))} - {len(data)}:
        with pytest.raises(InputError):
            load_image(media(data[:length]))


def huge_png(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(10_000, 10_000), (30_000, 30_000), (60_000, 60_000)])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_size_bomb_is_refused_from_its_header(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(huge_png(*size))
    with pytest.raises(
        InputError, match=rf"sample 'a': image .*bomb.png is {size[0]}x{size[1]}: more than the 80 megapixels that are decoded"
    ):
        load_image(Media.file("image", str(path)), "sample 'a'")


def test_a_jpeg_may_be_decoded_smaller_but_not_too_small() -> None:
    data = encode(Image.fromarray(SMOOTH).resize((800, 600)), "JPEG")
    image = load_image(media(data), at_least=(150, 150))
    assert image.size == (200, 150)
    assert load_image(media(data), at_least=(900, 900)).size == (800, 600)


def test_a_byte_range_is_one_image_and_must_be_whole(tmp_path: Path) -> None:
    data, path = encode(picture(), "PNG"), tmp_path / "shard.bin"
    path.write_bytes(b"xyz" + data)
    inside = Media("image", str(path), offset=3, length=len(data))
    assert np.array_equal(np.asarray(load_image(inside)), SMOOTH)
    assert image_size(inside) == (12, 8)
    with pytest.raises(InputError, match="the file ends after"):
        load_image(Media("image", str(path), offset=3, length=len(data) + 1))


def test_arrays_are_taken_as_they_are() -> None:
    assert np.array_equal(np.asarray(load_image(Media("image", data=SMOOTH))), SMOOTH)
    with pytest.raises(InputError, match=r"array of float64 \[8, 12\]"):
        load_image(Media("image", data=np.zeros((8, 12))))


@pytest.mark.parametrize("data", [b"", b"not an image", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="not an image in a known format"):
        load_image(media(data))


def test_a_missing_file_and_another_kind_of_medium_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read image .*gone.jpg: No such file"):
        load_image(Media.file("image", str(tmp_path / "gone.jpg")))
    with pytest.raises(InputError, match=r"cannot be decoded|No such file"):
        image_size(Media.file("image", str(tmp_path / "gone.jpg")))
    with pytest.raises(InputError, match="is not an image"):
        load_image(Media("video", data=b"x"))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_bytes_never_escape_as_anything_but_an_input_error() -> None:
    for format in ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM"):
        original = encode(picture(), format)
        for _ in range(60):
            damaged = bytearray(original)
            for position in RNG.integers(0, len(damaged), 3):
                damaged[position] = RNG.integers(0, 256)
            with suppress(InputError):
                assert load_image(media(bytes(damaged))).mode == "RGB"


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, depth: int, colour: int, rows: bytes, *more: bytes) -> bytes:
    """A PNG of packed rows, each with its filter byte."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(more) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "WEBP"])
@pytest.mark.parametrize("behind", [b"\n", b"\0" * 100, b"\0\0\0\x18ftypmp42 \xff\xd8\xff\xda\0\x08 a film with a picture"])
def test_what_follows_a_whole_picture_is_no_part_of_it(format: str, behind: bytes) -> None:
    data = encode(picture(), format)
    assert load_image(media(data + behind)).tobytes() == load_image(media(data)).tobytes()


def noise(height: int = 64, width: int = 64) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("options", [{}, {"quality": 30}, {"subsampling": 0}, {"restart_marker_blocks": 2}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_jpeg_that_was_cut_and_closed_is_refused(options: dict[str, object], mode: str) -> None:
    data = encode(noise().convert(mode), "JPEG", **options)
    load_image(media(data))
    start = data.rindex(b"\xff\xda") + 12
    for share in (0.2, 0.5, 0.8):
        cut = data[: start + int((len(data) - start) * share)].rstrip(b"\xff") + b"\xff\xd9"
        with pytest.raises(InputError, match="truncated"):
            load_image(media(cut))


def test_a_whole_jpeg_that_ends_in_mid_grey_is_taken() -> None:
    for made in (Image.new("RGB", (40, 24), (128, 128, 128)), Image.new("L", (7, 9), 128)):
        for progressive in (False, True):
            assert load_image(media(encode(made, "JPEG", progressive=progressive))).size == made.size
    half = noise()
    half.paste((128, 128, 128), (0, 32, 64, 64))
    assert load_image(media(encode(half, "JPEG", quality=95))).size == half.size


@pytest.mark.parametrize(("depth", "colour"), [(8, 2), (1, 0), (16, 0), (8, 6), (4, 3)])
def test_a_png_without_its_last_rows_is_refused(depth: int, colour: int) -> None:
    channels = {0: 1, 2: 3, 3: 1, 6: 4}[colour]
    row = b"\0" + b"\x5a" * -(-16 * depth * channels // 8)
    palette = [chunk(b"PLTE", bytes(range(48)))] if colour == 3 else []
    load_image(media(png(16, 20, depth, colour, row * 20, *palette)))
    with pytest.raises(InputError, match="truncated"):
        load_image(media(png(16, 20, depth, colour, row * 13, *palette)))


def test_black_pictures_are_whole() -> None:
    for mode in ("RGB", "L", "1", "P", "RGBA"):
        assert load_image(media(encode(Image.new(mode, (30, 20)), "PNG"))).size == (30, 20)
    assert load_image(media(encode(Image.new("RGB", (3000, 2000)), "PNG", compress_level=9))).size == (3000, 2000)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_gray_of_any_depth_is_white(depth: int) -> None:
    top = (1 << depth) - 1
    key = top // 2 if depth > 1 else 0
    values = [key, top, 0 if key else top, key]
    bits = "".join(f"{value:0{depth}b}" for value in values)
    packed = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    data = png(4, 1, depth, 0, b"\0" + packed, chunk(b"tRNS", struct.pack(">H", key)))
    shown = np.asarray(load_image(media(data)))[0, :, 0].tolist()
    assert shown == [255, 255, 0 if key else 255, 255]


def test_a_transparent_colour_of_16_bits_is_refused_where_it_is_lost() -> None:
    pixels = struct.pack(">6H", 1, 2, 3, 1000, 2000, 3000)
    data = png(2, 1, 16, 2, b"\0" + pixels, chunk(b"tRNS", struct.pack(">3H", 1000, 2000, 3000)))
    with pytest.raises(InputError, match="transparent colour of 16 bits"):
        load_image(media(data))


def test_a_png_that_claims_more_than_its_bytes_hold_is_refused_before_memory_is_asked_for() -> None:
    for depth, colour in ((16, 6), (8, 2), (16, 0)):
        with pytest.raises(InputError, match="cannot hold the pixels that its header claims"):
            load_image(media(png(8900, 8900, depth, colour, b"\0")))


BOMBS = [
    b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff",
    b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\xff\xff\xff\x0f\0\0\0\0\0\0\0\0",
    b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x01\0\0;",
]


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_end_in_a_sentence(bomb: bytes) -> None:
    with suppress(InputError):
        image_size(media(bomb))
    with pytest.raises(InputError):
        load_image(media(bomb))
