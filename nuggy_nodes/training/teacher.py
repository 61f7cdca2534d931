"""The teacher: the `best` recipe on whole photographs, and how far each pixel of its answer is to be believed.

Self-distillation: the student sees one view of a part of the photograph and is to answer what the teacher, with four
views of the whole, found there. Subjects cut by the frame, solid bodies and scale are learnt that way. What the teacher
does not know is not taught: its consensus (core/consensus.py) is near one half there, and trust is low.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..core import pipeline
from ..core.guided import enlarge
from ..core.predict import predict
from ..core.recipes import recipe
from ..core.verify import sha256
from ..core.weights import Network
from ..pictures import write
from . import files
from .shapes import Bytes

LONGEST = 1280  # pixels: photographs are reduced to it, for the teacher and for the student
SURE = (0.15, 0.4)  # distance of the consensus from one half: not believed at the first, believed at the second
EDGE = 0.6  # trust at a pixel that lies between sure subject and sure background
NOTHING = 0.003  # a mask of less than this share of the photograph teaches that there is nothing; that is not known


def trust(consensus: Tensor) -> Tensor:
    """How far to believe: [1,1,h,w], 0..1, of the teacher's coarse consensus [1,1,h,w].

    A pixel is believed where the consensus is far from one half; and by EDGE where sure subject and sure background
    both lie within three cells, which is what an edge, soft or not, looks like. Wide undecided areas are not.
    """
    low, high = SURE
    believed = (((consensus - 0.5).abs() - low) / (high - low)).clamp(0, 1)
    near = [F.max_pool2d((side & (believed > 0.5)).float(), 7, 1, 3) for side in (consensus > 0.5, consensus < 0.5)]
    return torch.maximum(believed, EDGE * near[0] * near[1])


@torch.inference_mode()
def ask(photo: Bytes, network: Network) -> tuple[Bytes, Bytes]:
    """Alpha and trust, [H,W] uint8 each, for a photograph [H,W,3] uint8."""
    device = next(network.model.parameters()).device
    image = torch.from_numpy(photo).permute(2, 0, 1)[None].float().div_(255).to(device)
    best = recipe("best")
    coarse = predict(network, image, best.views, best.combine)
    alpha = pipeline.refine(image, coarse, best).clamp(0, 1)
    believed = enlarge(trust(coarse), *image.shape[-2:])
    if float(alpha.mean()) < NOTHING:
        believed = torch.zeros_like(believed)
    planes = [(x[0, 0].clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy() for x in (alpha, believed)]
    return planes[0], planes[1]


def teach(
    photos: Sequence[Path],
    network: Callable[[], Network],
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> dict[Path, Path]:
    """The teacher's answers, a file each in `cache`: PNG, grey is alpha, transparency is trust. Made once.

    network: makes the teacher; called only when an answer is missing. A file's name carries the sha256 of its
    photograph, so another photograph of the same name is asked anew. Returns photograph to answer.
    """
    answers = {p: cache / f"{p.stem}-{sha256(p)[:12]}.png" for p in photos}
    missing = [p for p in photos if not answers[p].is_file()]
    teacher = network() if missing else None
    for done, path in enumerate(missing):
        if progress:
            progress(done, len(missing))
        assert teacher is not None
        alpha, believed = ask(files.colours(path, LONGEST), teacher)
        from io import BytesIO

        out = BytesIO()
        Image.fromarray(np.dstack([alpha, believed]), "LA").save(out, "png")
        write(answers[path], out.getvalue(), overwrite=True)
    return answers


def answer(path: Path) -> tuple[Bytes, Bytes]:
    """Alpha and trust, [H,W] uint8 each, of one of teach's files."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("LA"))
    return np.ascontiguousarray(pixels[..., 0]), np.ascontiguousarray(pixels[..., 1])
