"""The teacher: the `best` recipe on whole photographs, and how far each pixel of its answer is to be believed.

It sees each photograph at its own size, as a user's would be; what it says is then reduced to LONGEST.

Self-distillation: the student sees one view of a part of the photograph and is to answer what the teacher, with four
views of the whole, found there. Subjects cut by the frame, solid bodies and scale are learnt that way. What the teacher
does not know is not taught: its consensus (core/consensus.py) is near one half there, and trust is low.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from ..core import pipeline
from ..core.network.checksum import sha256
from ..core.network.precision import choose_floating
from ..core.network.weights import Network, default_path, load
from ..core.ops.resample import enlarge
from ..core.recipes import recipe
from ..core.segment.predict import predict
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
    alpha = pipeline.cutout(image, network, best).alpha
    # the views once more: a cut-out does not tell how sure they were before its edges were refined
    believed = enlarge(trust(predict(network, image, best.views, best.combine)), *image.shape[-2:])
    if float(alpha.mean()) < NOTHING:
        believed = torch.zeros_like(believed)
    planes = [(x[0, 0].clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy() for x in (alpha, believed)]
    return planes[0], planes[1]


def teach(
    photos: Sequence[Path],
    weights: Path | None,
    device: torch.device,
    cache: Path,
    progress: Callable[[int, int], None] | None = None,
) -> dict[Path, Path]:
    """The teacher's answers, a file each in `cache`: PNG, grey is alpha, transparency is trust. Made once.

    weights: of the teacher (None: the default); read only when an answer is missing. A file's name carries the sha256
    of its photograph and of the weights, so that neither another photograph of the same name nor another teacher meets
    an old answer. Returns photograph to answer.
    """
    mark = sha256(weights or default_path())[:6] if photos else ""
    answers = {p: cache / f"{p.stem}-{sha256(p)[:12]}-{mark}.png" for p in photos}
    missing = [p for p in photos if not answers[p].is_file()]
    network = load(weights, device, choose_floating(device)) if missing else None
    for done, path in enumerate(missing):
        assert network is not None
        if progress:
            progress(done, len(missing))
        planes = [files.reduced(x, LONGEST) for x in ask(files.colours(path), network)]
        out = BytesIO()
        Image.fromarray(np.dstack(planes), "LA").save(out, "png")
        write(answers[path], out.getvalue(), overwrite=True)
    return answers


def answer(path: Path) -> tuple[Bytes, Bytes]:
    """Alpha and trust, [H,W] uint8 each, of one of teach's files."""
    with Image.open(path, formats=("PNG", "JPEG", "WEBP", "TIFF")) as image:
        pixels = np.asarray(image.convert("LA"))
    return np.ascontiguousarray(pixels[..., 0]), np.ascontiguousarray(pixels[..., 1])
