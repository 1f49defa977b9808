"""Image files of every kind: converted right, or refused with the reason."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.data import decoding
from trainables.data.decoding import decode_image

GRADIENT = np.linspace(0, 255, 64).astype(np.uint8).reshape(8, 8)


def seen(file: Path, mode: decoding.Mode = "L", background: str = "white") -> np.ndarray:
    return decode_image(file, 8, mode, background)[..., 0].astype(int)


def saved(image: Image.Image, file: Path, **options: object) -> Path:
    image.save(file, **options)  # type: ignore[arg-type]
    return file


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif", "pgm", "webp", "gif", "jfif"])
def test_grey_values_of_8_bits_stay_what_they_are(suffix: str, tmp_path: Path) -> None:
    options = {"webp": {"lossless": True}, "jfif": {"format": "JPEG", "quality": 100}}.get(suffix, {})
    file = saved(Image.fromarray(GRADIENT), tmp_path / f"a.{suffix}", **options)
    assert np.abs(seen(file) - GRADIENT).max() <= (2 if suffix == "jfif" else 0)


@pytest.mark.parametrize("suffix", ["png", "tif", "pgm"])
def test_16_bits_become_8_by_dividing(suffix: str, tmp_path: Path) -> None:
    values = GRADIENT.astype(np.uint16) * 257
    file = saved(Image.fromarray(values), tmp_path / f"a.{suffix}")
    assert np.array_equal(seen(file), GRADIENT)
    dark = saved(Image.fromarray((values // 100).astype(np.uint16)), tmp_path / f"b.{suffix}")
    assert np.abs(seen(dark) - GRADIENT / 100).max() <= 0.51


def test_12_bits_of_a_tiff_are_12_bits(tmp_path: Path) -> None:
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    values = (GRADIENT.astype(np.uint16) << 4) | (GRADIENT >> 4)
    file = saved(Image.fromarray(values), tmp_path / "a.tif")
    with Image.open(file) as image:
        assert image.mode == "I;16"
        tags: ImageFileDirectory_v2 = image.tag_v2
        tags[258] = (12,)
        said = decoding._eight_bits(image, "white")
    assert np.abs(np.asarray(said).astype(int) - GRADIENT).max() <= 1


@pytest.mark.parametrize(
    ("values", "suffix", "why"),
    [
        (GRADIENT.astype(np.float32) / 255, "tif", "floating-point numbers, and nothing says what is black and white"),
        (GRADIENT.astype(np.int32) * 1000, "tif", "32-bit integers, and nothing says"),
    ],
)
def test_values_of_unknown_range_are_refused(values: np.ndarray, suffix: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=why):
        seen(saved(Image.fromarray(values), tmp_path / f"a.{suffix}"))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_a_shape_in_transparency_shows_against_the_background(mode: str, tmp_path: Path) -> None:
    black = np.zeros((8, 8, 4), dtype=np.uint8)
    black[:, 4:, 3] = 255
    image = Image.fromarray(black).convert(mode) if mode != "P" else Image.fromarray(black[..., 3] // 255, mode="P")
    options = {}
    if mode == "P":
        image.putpalette([7, 7, 7, 0, 0, 0])
        options = {"transparency": 0}
    file = saved(image, tmp_path / "a.png", **options)
    half = np.where(np.arange(8) < 4, 255, 0)[None].repeat(8, axis=0)
    assert np.array_equal(seen(file), half)
    assert (seen(file, background="black") == 0).all()
    assert set(seen(file, "RGB", "grey").ravel().tolist()) == {128, 0}


def test_palettes_and_cmyk_become_colours(tmp_path: Path) -> None:
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    for file in (
        saved(red.quantize(4), tmp_path / "palette.png"),
        saved(red.convert("CMYK"), tmp_path / "cmyk.tif"),
        saved(red.convert("CMYK"), tmp_path / "cmyk.jpg", quality=100),
    ):
        assert np.abs(decode_image(file, 8, "RGB", "white") - [255, 0, 0]).max() <= 2


@pytest.mark.parametrize("mode", ["L", "I;16", "RGBA"])
def test_an_orientation_in_exif_is_applied(mode: str, tmp_path: Path) -> None:
    upright = np.zeros((8, 8), dtype=np.uint8)
    upright[0] = 255
    lying = np.rot90(upright, 1)  # as a camera held sideways stores it: 6 means, turn it clockwise to show it
    image = Image.fromarray(lying.astype(np.uint16) * 257) if mode == "I;16" else Image.fromarray(lying).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert np.array_equal(seen(saved(image, tmp_path / "a.png", exif=exif)), upright)


def test_many_frames_are_refused(tmp_path: Path) -> None:
    frames = [Image.fromarray(GRADIENT + shift) for shift in range(3)]
    for name in ("a.gif", "a.tif", "a.png"):
        file = saved(frames[0], tmp_path / name, save_all=True, append_images=frames[1:])
        with pytest.raises(ValueError, match="3 frames or pages; one file for each image"):
            seen(file)


def test_a_photograph_with_smaller_views_is_one_image(tmp_path: Path) -> None:
    frames = [Image.fromarray(GRADIENT)] * 2
    file = saved(frames[0], tmp_path / "a.jpg", format="MPO", save_all=True, append_images=frames[1:], quality=100)
    assert np.abs(seen(file) - GRADIENT).max() <= 2


@pytest.mark.parametrize("side", [9_000, 30_000])
def test_bombs_are_not_decoded(side: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few kilobytes that would be gigabytes."""
    file = tmp_path / "a.png"
    header = Image.new("1", (8, 8))
    header.save(file)
    content = bytearray(file.read_bytes())
    import zlib

    content[16:24] = side.to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    file.write_bytes(content)

    def never(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(Image.Image, "convert", never)
    with pytest.raises(ValueError, match="more than the 64 million"):
        seen(file)


def test_what_is_no_image_says_so_whatever_it_is(tmp_path: Path) -> None:
    whole = saved(
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)), tmp_path / "a.png"
    )
    for name, content in {
        "text.png": b"no image",
        "empty.png": b"",
        "half.png": whole.read_bytes()[:2000],
        "header.png": whole.read_bytes()[:20],
        "script.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    }.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="no image that can be decoded"):
            seen(tmp_path / name)
