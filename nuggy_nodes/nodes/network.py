"""The network under ComfyUI's memory management: loaded to the GPU when it works, moved away for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any
from weakref import WeakValueDictionary

import comfy.model_management as mm
import torch
from torch import Tensor

from ..core.errors import InputError, NuggyError
from ..core.network import cudagraph
from ..core.network.encoder import EncoderNetwork, is_encoder
from ..core.network.find import open_network
from ..core.network.metadata import STRIDE
from ..core.network.precision import choose_precision
from ..core.network.protocol import AnyNetwork
from ..core.network.weights import Network, default_path, load
from ..core.ops.resample import enlarge
from ..core.segment.closer_look import look, squares
from ..core.segment.predict import Chunk
from ..core.segment.views import SHARE_OF, View
from .compat import Patcher, intermediate
from .device import is_oom
from .kept import Kept
from .models import CORE, resolve
from .tensors import from_image

BYTES_PER_PIXEL = 800  # of a square in flight, in float32; 530 were measured on a CPU at 1024x1024, GPUs take more
PICTURE = 4 * (3 + 3 + 2)  # bytes per pixel of a photograph: itself, its float copy, its mask and the mask's making
CLOSER = 1024  # side of the squares of a closer look


class ManagedNetwork:
    """What NuggyLoader gives: a core network, IS-Net in a ModelPatcher; others manage their memory themselves.
    ComfyUI's own RemoveBackground can drive it too. measured: whether the recipes' views are for it."""

    measured = True

    def __init__(self, name: str, precision: str = "auto"):
        device, rest = mm.get_torch_device(), mm.unet_offload_device()
        if precision == "auto" and device.type != "cpu":
            self.dtype = torch.float16 if mm.should_use_fp16(device) else torch.float32
        else:
            self.dtype = choose_precision(device, precision)
        self.network = _open(name, device, rest, self.dtype)
        self.patcher, self.measured = None, self.network.form.measured
        if isinstance(self.network, Network):
            cudagraph.never(
                self.network.model
            )  # ComfyUI swaps weights without a word, and cannot unload a graph's pool
            self.patcher = Patcher(self.network.model, load_device=device, offload_device=rest)
        self.kept = Kept()

    @classmethod
    def of(cls, thing: Any) -> ManagedNetwork:
        """What a link brings: one of these, or a background removal model of ComfyUI's.

        Args:
            thing: what is linked.

        Returns:
            A ManagedNetwork.

        Raises:
            InputError: neither.
        """
        if isinstance(thing, cls):
            return thing
        if not is_encoder(thing):
            raise InputError(
                "model is not one of Nuggy Loader's; connect it, or what Load Background Removal Model gives"
            )
        made = cls.__new__(cls)
        made.network, made.patcher, made.dtype = EncoderNetwork(thing, mm.get_torch_device()), None, torch.float32
        made.measured, made.kept = False, Kept()
        return made

    def masks(self, images: Tensor, views: Sequence[View], how: str, looks: int = 1, chunk: int = 0,
              progress: Callable[[int, int], None] = lambda done, total: None) -> Iterator[Tensor]:  # fmt: skip
        """The masks of photographs, group by group. When memory runs out, chunk and group are halved, for the rest of
        the batch.

        Args:
            images: photographs [B,3,H,W], 0..1.
            views, how, looks: what the network is asked; as for closer_look.look.
            chunk: squares at a time (0: chosen by device).
            progress: called with squares done and their number over the whole batch.

        Returns:
            Masks [b,1,H,W] on the network's device, at the photographs' size.

        Raises:
            NuggyError: memory does not suffice for a single square.
        """
        device = self.patcher.load_device if self.patcher else mm.get_torch_device()
        fits = Chunk(chunk or (2 if device.type == "cpu" else 8))
        at, group = 0, 1 if device.type == "cpu" else max(fits.size // len(views), 1)
        height, width = images.shape[-2:]
        self.load(fits.size, group, (height, width), views, looks)
        each = squares(height, width, views, looks)

        def report(done: int, _: int) -> None:
            progress(at * each + done, len(images) * each)

        while at < len(images):
            try:
                part = images[at : at + group].to(device)
                coarse = look(self.network, part, views, how, looks, chunk=fits, progress=report)
                mask = enlarge(coarse, *part.shape[-2:])
            except Exception as e:  # an interrupt passes through: it is not a lack of memory
                if not is_oom(e):
                    raise
                if group == 1:
                    raise NuggyError(
                        f"{device} ran out of memory with one view of {max(v.size for v in views)}x"
                        f"{max(v.size for v in views)} at a time; take views fast or smaller custom views, or free "
                        "memory that other programs hold"
                    ) from e
                group //= 2
                part = coarse = None  # type: ignore[assignment]
                mm.soft_empty_cache()
                continue
            at += len(part)
            yield mask

    def load(self, chunk: int, group: int, size: tuple[int, int], views: Sequence[View], looks: int) -> None:
        """Have ComfyUI load the network, with room for its work: squares in flight, photographs with their masks.

        Args:
            chunk: squares at a time.
            group: photographs at a time.
            size: their height and width.
            views, looks: what the network is asked.
        """
        side = max([v.size for v in views] + [CLOSER] * (looks > 1))
        in_flight = min(group * len(views), chunk) if looks == 1 else chunk
        needed = in_flight * side**2 * BYTES_PER_PIXEL * self.dtype.itemsize / 4 + group * size[0] * size[1] * PICTURE
        if self.patcher:
            mm.load_models_gpu([self.patcher], memory_required=needed, force_full_load=True)

    def encode_image(self, image: Tensor, image_size: int | None = None) -> Tensor:
        """One view, for ComfyUI's RemoveBackground.

        Args:
            image: IMAGE.
            image_size: the square's side, None for the network's own.

        Returns:
            MASK.
        """
        native = self.network.info.size if self.network.form.measured else SHARE_OF
        size = native if image_size is None else round(image_size / STRIDE) * STRIDE
        view = View(min(max(size, 256), 4096))
        return torch.cat([intermediate(m[:, 0]) for m in self.masks(from_image(image), (view,), "mean")])


def _open(name: str, device: torch.device, rest: torch.device, dtype: torch.dtype) -> AnyNetwork:
    """The network of a name that models.names offers; IS-Net on the device where it rests. Raises InputError."""
    path = resolve(name)
    if name.startswith(f"{CORE}/"):
        from comfy.bg_removal_model import load as load_of_comfyui

        model = load_of_comfyui(str(path))
        if model is None:
            raise InputError(f"{name} is no background removal model that this ComfyUI knows; choose another file")
        return EncoderNetwork(model, device)
    if path is not None and path.suffix.lower() == ".onnx":
        return open_network(path, rest, dtype, provider=device.type)
    return load(path, rest, dtype)


_alive: WeakValueDictionary[tuple[str, int, str, str], ManagedNetwork] = WeakValueDictionary()


def managed(name: str, precision: str) -> ManagedNetwork:
    """The network of a weights file; loaders of one file share it as long as one of them is there.

    Args:
        name: one of models.names.
        precision: as choose_precision takes it.

    Returns:
        The network.
    """
    path = resolve(name) or default_path()
    key = (str(path), path.stat().st_mtime_ns, precision, str(mm.get_torch_device()))
    found = _alive.get(key)
    if found is None:
        found = _alive[key] = ManagedNetwork(name, precision)
    return found
