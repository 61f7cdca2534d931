"""As much of ComfyUI as the nodes touch, in a few lines: for contracts. tests/comfyui asks the real one.

`install(new=False)` is ComfyUI 0.3.75, where a Schema knows no search aliases and no input knows `advanced`;
`new=True` is the 0.33 line.
"""

from __future__ import annotations

import dataclasses
import sys
import types
from typing import Any

import torch


class Interrupted(Exception):
    """What Cancel raises."""


class State:
    """What a test sets and reads."""

    device = torch.device("cpu")
    intermediate_dtype = torch.float32
    interrupt_after: int | None = None
    progress: list[tuple[int, int]] = []  # noqa: RUF012
    previews: list[Any] = []  # noqa: RUF012
    loaded: list[float] = []  # noqa: RUF012
    texts: list[str] = []  # noqa: RUF012
    taken: dict[str, Any] = {}  # noqa: RUF012
    freed: list[float] = []  # noqa: RUF012

    @classmethod
    def reset(cls) -> None:
        cls.intermediate_dtype, cls.interrupt_after = torch.float32, None
        for seen in (cls.progress, cls.previews, cls.loaded, cls.texts, cls.taken, cls.freed):
            seen.clear()


class Given:
    """An input or output of a schema."""

    def __init__(self, id: str, **options: Any):
        self.id, self.options, self.extra_dict = id, options.pop("options", None), options.pop("extra_dict", None)
        self.default, self.rest = options.get("default"), options


def kind(name: str) -> type:
    return type(
        name, (), {"Input": type("Input", (Given,), {}), "Output": type("Output", (Given,), {}), "io_type": name}
    )


class ProgressBar:
    def __init__(self, total: int):
        self.total = total

    def update_absolute(self, value: int, total: int | None = None, preview: Any = None) -> None:
        throw_if_interrupted()
        State.progress.append((value, total or self.total))
        if preview:
            State.previews.append(preview)


def throw_if_interrupted() -> None:
    if State.interrupt_after is not None and len(State.progress) >= State.interrupt_after:
        raise Interrupted


def node_output(*values: Any, ui: dict[str, list[Any]] | None = None) -> Any:
    State.texts += [said["text"] for said in (ui or {}).get("nuggy", []) if said["text"]]
    return types.SimpleNamespace(args=values, ui=ui)


class ModelPatcher:
    def __init__(self, model: Any, load_device: torch.device, offload_device: torch.device):
        self.model, self.load_device, self.offload_device = model, load_device, offload_device


def load_models_gpu(models: list[Any], memory_required: float = 0, force_full_load: bool = False) -> None:
    State.loaded.append(memory_required)
    for m in models:
        m.model.to(m.load_device)


def install(patch: Any, new: bool, models_dir: str) -> None:
    """Put the fakes where the nodes import from, and forget nodes imported with other fakes."""
    fields = ["node_id", "display_name", "category", "description", "inputs", "outputs", "hidden", "is_deprecated"]
    fields += ["search_aliases", "essentials_category"] if new else []
    io = types.SimpleNamespace(
        Schema=dataclasses.make_dataclass("Schema", [(f, Any, None) for f in fields]),
        ComfyNode=type("ComfyNode", (), {}),
        NodeOutput=node_output,
        Custom=kind,
        **{
            n: kind(n)
            for n in ("Image", "Mask", "Combo", "Float", "Int", "Boolean", "String", *(["Color"] if new else []))
        },
    )
    patcher = {"CoreModelPatcher": ModelPatcher, "ModelPatcher": object} if new else {"ModelPatcher": ModelPatcher}
    management = {
        "get_torch_device": lambda: State.device,
        "unet_offload_device": lambda: torch.device("cpu"),
        "intermediate_device": lambda: torch.device("cpu"),
        "should_use_fp16": lambda device: False,
        "load_models_gpu": load_models_gpu,
        "free_memory": lambda size, device: State.freed.append(size),
        "soft_empty_cache": lambda: None,
        "throw_exception_if_processing_interrupted": throw_if_interrupted,
    }
    if new:
        management["intermediate_dtype"] = lambda: State.intermediate_dtype
    files_of_core = {"background_removal": ["birefnet.safetensors"]} if new else {}
    names: dict[str, Any] = {"nuggy": ([models_dir], set())}
    for name, content in {
        "comfy": {},
        "comfy.model_management": management,
        "comfy.model_patcher": patcher,
        "comfy.utils": {"ProgressBar": ProgressBar},
        "comfy_api": {},
        "comfy_api.latest": {"io": io, "ComfyExtension": object},
        "nodes": {"NODE_CLASS_MAPPINGS": State.taken},
        "folder_paths": {
            "models_dir": models_dir,
            "folder_names_and_paths": names,
            "add_model_folder_path": lambda *a, **k: None,
            "get_filename_list": lambda folder: (
                ["isnet-general-use-8bit.safetensors", "other.pth"] if folder == "nuggy" else files_of_core[folder]
            ),
            "get_full_path_or_raise": lambda folder, name: f"{models_dir}/{folder}/{name}",
        },
    }.items():
        module = types.ModuleType(name)
        vars(module).update(content)
        patch.setitem(sys.modules, name, module)
        parent, _, last = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], last, module)
    for name in [n for n in sys.modules if n == "nuggy_nodes.nodes" or n.startswith("nuggy_nodes.nodes.")]:
        patch.delitem(sys.modules, name)
