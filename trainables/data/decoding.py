"""Image files of all kinds as squares of bytes: converted right, or refused with the reason."""

import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

MOST_PIXELS = 64_000_000
# Not all that Pillow knows: some formats hand their content to other programs.
_FORMATS = ("PNG", "JPEG", "BMP", "DIB", "GIF", "WEBP", "TIFF", "PPM")
_WITH_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_WHOLE_RANGE = 65535  # of values that Pillow gives as 32-bit integers but that a format has as 16 bits

Mode = Literal["RGB", "L"]


def decode_image(file: Path, size: int, mode: Mode, background: str) -> npt.NDArray[np.uint8]:
    """The image as [size, size, channels], upright, resized without regard to its proportions (bilinear).

    16 bits a channel become 8 by dividing, palettes and CMYK become colours, transparent places show the background,
    an orientation in EXIF is applied.

    Args:
        mode: RGB, 3 channels, or L, one.
        background: A colour by its name.
    Raises:
        ValueError: It can't be decoded, or nothing says what its values mean; says why, without the file's name.
    """
    Image.init()  # else only the commonest of these formats are known
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about metadata; sizes are looked at below
        try:
            with Image.open(file, formats=_FORMATS) as image:
                _refuse(image)
                square = _upright(_eight_bits(image, background)).convert(mode).resize((size, size), _BILINEAR)
        except Image.DecompressionBombError:
            raise ValueError(f"more than the {MOST_PIXELS // 10**6} million pixels that are decoded") from None
        except _ImageRefused as error:
            raise ValueError(str(error)) from None
        except Exception as error:  # a decoder that is given anything can fail in any way
            raise ValueError(f"no image that can be decoded ({_brief(error)})") from error
    return np.asarray(square).reshape(size, size, -1)


_BILINEAR = Image.Resampling.BILINEAR


class _ImageRefused(Exception):
    """With the reason."""


def _refuse(image: Image.Image) -> None:
    """What can be told without decoding."""
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise _ImageRefused(
            f"{width:,} × {height:,} pixels, more than the {MOST_PIXELS // 10**6} million that are decoded"
        )
    # MPO, as cameras write it, is a photograph and smaller copies or views of it.
    if getattr(image, "is_animated", False) and image.format != "MPO":
        raise _ImageRefused(
            f"{getattr(image, 'n_frames', 'several')} frames or pages; one file for each image is wanted"
        )
    if image.mode == "F" or (image.mode == "I" and image.format not in ("PNG", "PPM")):
        values = "floating-point numbers" if image.mode == "F" else "32-bit integers"
        raise _ImageRefused(
            f"its values are {values}, and nothing says what is black and white; save it with 8 or 16 bits"
        )


def _eight_bits(image: Image.Image, background: str) -> Image.Image:
    """In a mode of 8 bits a channel, without transparency."""
    if image.mode == "I" or image.mode.startswith("I;16"):
        bits = getattr(image, "tag_v2", {}).get(258, (16,))[0]  # TIFF's bits per sample
        most = 2**bits - 1 if bits < 16 else _WHOLE_RANGE
        values = np.asarray(image).astype(np.float64)
        if values.max() > most:
            raise _ImageRefused(f"its values exceed {bits} bits")
        return _with_orientation(image, Image.fromarray(np.rint(values * (255 / most)).astype(np.uint8)))
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        ground = Image.new("RGBA", image.size, background)
        ground.alpha_composite(image.convert("RGBA"))
        return _with_orientation(image, ground.convert("RGB"))
    return image


def _with_orientation(image: Image.Image, made: Image.Image) -> Image.Image:
    """`made` with the EXIF data of `image`."""
    made.info["exif"] = image.getexif().tobytes()
    return made


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # damaged EXIF: it says nothing about the orientation
        return image


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
