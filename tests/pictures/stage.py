"""Screens side by side as one moving picture: each frame is put together and photographed in a page of its own."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

SIZE = (960, 640)
_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><style>
body { margin: 0; height: 640px; overflow: hidden; background: #dfe6ea; color: #16212b }
body { font: 20px/1.4 system-ui, "Noto Sans CJK SC", sans-serif }
header { position: absolute; inset: 18px 0 auto; text-align: center }
header b { display: block; font-size: 24px } header span { color: #52606d; font-size: 17px }
main { position: absolute; inset: 96px 24px 20px; display: flex; justify-content: center; align-items: center }
main { gap: 40px }
figure { margin: 0; height: 100%; opacity: .45; text-align: center }
figure.now { opacity: 1 }
img { height: 480px; border: 7px solid #16212b; border-radius: 20px; background: #fff; display: block }
figcaption { font-size: 16px; margin-top: 6px }
</style><header><b id="zh"></b><span id="en"></span></header><main></main></html>"""
_PUT = """([zh, en, screens]) => {
    document.getElementById("zh").textContent = zh;
    document.getElementById("en").textContent = en;
    document.querySelector("main").replaceChildren(...screens.map(([name, picture, now]) => {
        const [figure, img, words] = ["figure", "img", "figcaption"].map((tag) => document.createElement(tag));
        img.src = picture;
        figure.className = now ? "now" : "";
        words.textContent = name;
        figure.append(img, words);
        return figure;
    }));
    return Promise.all([...document.images].map((img) => img.decode()));
}"""


@dataclass(frozen=True, slots=True)
class Screen:
    """A device as it looks: its name, its picture, and whether the frame is about it."""

    name: str
    picture: bytes
    now: bool


class Stage:
    """Collects frames and writes them as one animated WebP."""

    def __init__(self, browser: Browser) -> None:
        context = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]})
        self.page: Page = context.new_page()
        self.page.set_content(_PAGE)
        self.frames: list[tuple[Image.Image, int]] = []

    def frame(self, zh: str, en: str, screens: Sequence[Screen], seconds: float) -> None:
        """Show the screens under a sentence in both languages for so long."""
        put = [
            [one.name, "data:image/png;base64," + base64.b64encode(one.picture).decode(), one.now] for one in screens
        ]
        self.page.evaluate(_PUT, [zh, en, put])
        shot = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        self.frames.append((shot, round(seconds * 1000)))

    @property
    def seconds(self) -> float:
        """How long it runs."""
        return sum(milliseconds for _shot, milliseconds in self.frames) / 1000

    def write(self, path: Path) -> None:
        """Write the moving picture; it begins again at its end."""
        first, *rest = [shot for shot, _milliseconds in self.frames]
        lengths = [milliseconds for _shot, milliseconds in self.frames]
        first.save(
            path, save_all=True, append_images=rest, duration=lengths, loop=0, quality=72, method=6, minimize_size=True
        )
