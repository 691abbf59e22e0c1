"""A film for Chromium's fake camera: a hand holds a phone with a code before the lens. Motion JPEG, no other program needed.

Chromium reads the film when a page opens the camera and repeats it; a film that is written anew counts from the next opening.
"""

import io
from collections.abc import Sequence
from pathlib import Path

import qrcode
from PIL import Image, ImageDraw, ImageFilter

SIZE = (1280, 720)
FRAMES_A_SECOND = 30  # what Chromium assumes for a film without a header


def code(text: str, *, module: int = 6) -> Image.Image:
    """The QR code of a text as a phone shows it: black on white, quiet zone of four modules."""
    drawn = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=module, border=4)
    drawn.add_data(text)
    drawn.make(fit=True)
    picture: Image.Image = drawn.make_image(fill_color="black", back_color="white").get_image()
    return picture.convert("RGB")


def lane() -> Image.Image:
    """What the camera sees between two travellers: a grey road and nobody."""
    picture = Image.new("RGB", SIZE, (92, 98, 104))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 430, SIZE[0], SIZE[1]), fill=(66, 68, 71))
    draw.polygon(((560, 430), (720, 430), (930, 720), (350, 720)), fill=(80, 82, 84))
    return picture


def shown(text: str, *, tilt: float = 7.0, blur: float = 0.6) -> Image.Image:
    """A phone with a code before the camera, a little tilted and not quite sharp."""
    screen = code(text)
    phone = Image.new("RGB", (screen.width + 60, screen.height + 160), (24, 26, 30))
    phone.paste(screen, (30, 80))
    held = phone.rotate(tilt, expand=True, resample=Image.Resampling.BICUBIC, fillcolor=(92, 98, 104))
    picture = lane()
    picture.paste(held, ((SIZE[0] - held.width) // 2, (SIZE[1] - held.height) // 2))
    return picture.filter(ImageFilter.GaussianBlur(blur))


def film(path: Path, pictures: Sequence[tuple[Image.Image, float]]) -> Path:
    """Write a film: each picture with the seconds that it stands. Returns the path."""
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        for picture, seconds in pictures:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=85)
            file.write(buffer.getvalue() * max(1, round(seconds * FRAMES_A_SECOND)))
    partial.replace(path)
    return path


def film_of(path: Path, text: str, *, empty_seconds: float = 0.5, seconds: float = 4.0) -> Path:
    """A film of one code: the empty lane, then the code held before the camera."""
    return film(path, [(lane(), empty_seconds), (shown(text), seconds)])


def held(screen: Image.Image, *, tilt: float = -5.0, blur: float = 0.5, height: int = 660) -> Image.Image:
    """A phone's own screen before the camera: a screenshot, held a little askew and not quite sharp."""
    small = screen.convert("RGB").resize(
        (round(screen.width * height / screen.height), height), Image.Resampling.LANCZOS
    )
    phone = Image.new("RGB", (small.width + 24, small.height + 24), (24, 26, 30))
    phone.paste(small, (12, 12))
    turned = phone.rotate(tilt, expand=True, resample=Image.Resampling.BICUBIC, fillcolor=(92, 98, 104))
    picture = lane()
    picture.paste(turned, ((SIZE[0] - turned.width) // 2, (SIZE[1] - turned.height) // 2))
    return picture.filter(ImageFilter.GaussianBlur(blur))
