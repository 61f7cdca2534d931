"""Sheets of pictures for the quality benchmark: image, truth, and the answer of each remover, a row a photograph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from . import metrics

Plane = NDArray[np.float32]
Answer = tuple[str, Image.Image, Plane, dict[str, Plane]]
WIDTH = 240  # of a cell, pixels
ROWS = 5


def save_sheets(folder: Path, name: str, answers: list[Answer]) -> list[Path]:
    """Write NAME-worst.png (largest SAD of the last remover) and NAME-improved.png (largest gain over the first)."""
    folder.mkdir(parents=True, exist_ok=True)

    def error(answer: Answer, which: int) -> float:
        return metrics.sad(list(answer[3].values())[which], answer[2])

    orders = {
        "worst": sorted(answers, key=lambda a: -error(a, -1)),
        "improved": sorted(answers, key=lambda a: error(a, -1) - error(a, 0)),
    }
    paths = []
    for kind, order in orders.items():
        paths.append(folder / f"{name}-{kind}.png")
        sheet(order[:ROWS]).save(paths[-1])
    return paths


def sheet(answers: list[Answer]) -> Image.Image:
    """The rows, each cell labelled with the remover and its SAD."""
    rows = []
    for name, image, truth, found in answers:
        height = round(WIDTH * image.height / image.width)
        cells = [(name, image), ("truth", _picture(truth))]
        cells += [(f"{who} {metrics.sad(alpha, truth):.1f}", _picture(alpha)) for who, alpha in found.items()]
        row = Image.new("RGB", (WIDTH * len(cells), height))
        for i, (label, picture) in enumerate(cells):
            cell = picture.resize((WIDTH, height), Image.Resampling.BOX)
            draw = ImageDraw.Draw(cell)
            draw.text((5, 4), label, fill="white", stroke_width=2, stroke_fill="black")
            row.paste(cell, (WIDTH * i, 0))
        rows.append(row)
    out = Image.new("RGB", (max(r.width for r in rows), sum(r.height for r in rows)))
    top = 0
    for row in rows:
        out.paste(row, (0, top))
        top += row.height
    return out


def _picture(alpha: Plane) -> Image.Image:
    return Image.fromarray((alpha * 255).round().astype(np.uint8)).convert("RGB")
