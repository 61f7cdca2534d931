"""Other networks than the default: do they answer as elsewhere, and what do views around them cost and bring?

    python benchmarks/networks.py NETWORK.onnx [--same] [--data DIR]

NETWORK: a file or a name. --same: it is the default network's own graph; compare torch, ONNX Runtime and an object with
the contract of ComfyUI's Load Background Removal Model on one photograph. --data: a folder with image/ and alpha/ of
equal names: errors of one plain view, of `majority` (what balanced takes) and of the rule for IS-Net, `regions`.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from nuggy_nodes.core import cutout, recipe  # noqa: E402
from nuggy_nodes.core.around import ELSEWHERE, around  # noqa: E402
from nuggy_nodes.core.network import find, weights  # noqa: E402
from nuggy_nodes.core.network.description import Options  # noqa: E402
from nuggy_nodes.core.network.encoder import EncoderNetwork  # noqa: E402
from nuggy_nodes.core.network.onnx_network import OnnxNetwork, load_onnx  # noqa: E402
from nuggy_nodes.core.pipeline import after_network  # noqa: E402
from nuggy_nodes.core.segment.closer_look import look  # noqa: E402
from nuggy_nodes.core.segment.predict import run_squares  # noqa: E402
from nuggy_nodes.core.work import Work  # noqa: E402


def picture(path: Path, side: int = 0) -> torch.Tensor:
    image = Image.open(path).convert("RGB")
    image = image.resize((side, side), Image.Resampling.BILINEAR) if side else image
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255


def same(path: Path) -> None:
    """The same photograph, one view, three ways."""
    torch_network = weights.load(path)
    encoder = SimpleNamespace(
        image_size=1024, encode_image=lambda x: run_squares(torch_network, (x.movedim(-1, 1) * 255).round() / 255)[:, 0]
    )
    square = picture(ROOT / "samples" / "kitten-on-lawn.jpg", 1024)
    answers = {
        "torch": run_squares(torch_network, square),
        "ONNX Runtime": run_squares(load_onnx(path, "cpu"), square),
        "ComfyUI's contract": run_squares(EncoderNetwork(encoder), square),
    }
    print("| against torch | mean | max |\n|---|---|---|")
    for name, answer in answers.items():
        apart = (answer - answers["torch"]).abs()
        print(f"| {name} | {apart.mean():.1e} | {apart.max():.1e} |")


def cost(network: OnnxNetwork) -> None:
    """Processor seconds of balanced, and of its own passes within, the median of three."""
    image, passes = picture(ROOT / "samples" / "kitten-on-lawn.jpg"), []
    plain = OnnxNetwork.see

    def timed(self: OnnxNetwork, squares: torch.Tensor) -> torch.Tensor:
        started = time.process_time()
        answer = plain(self, squares)
        passes.append((len(squares), time.process_time() - started))
        return answer

    OnnxNetwork.see = timed  # type: ignore[method-assign]
    print("\n| recipe | squares | passes s | views, consensus | all, refined, s | |\n|---|---|---|---|---|---|")
    for name in ("fast", "balanced"):
        cutout(image, network, name)  # warm
        rounds = []
        for _ in range(3):
            passes.clear()
            started = time.process_time()
            coarse = look(network, image, **around(recipe(name), network.form).part("look"))
            views = time.process_time() - started
            after_network(image, coarse, around(recipe(name), network.form), Work(None))
            rounds.append((sum(s for _, s in passes), views, time.process_time() - started))
        own, views, total = sorted(rounds)[1]
        more = f"+{100 * (views / own - 1):.1f} % | {total:.2f} | +{100 * (total / own - 1):.1f} %"
        print(f"| {name} | {sum(n for n, _ in passes)} | {own:.2f} | {more} |", flush=True)
    OnnxNetwork.see = plain  # type: ignore[method-assign]


def quality(network: object, data: Path, most: int) -> None:
    """SAD (thousands) and MSE (thousandths) over a set."""
    ways = {n: recipe(n) for n in ("fast", "balanced")} | {
        "the same, regions": recipe("balanced", views=ELSEWHERE["balanced"], combine="regions")
    }
    rows: dict[str, list[tuple[float, float]]] = {n: [] for n in ways}
    plain, known = OnnxNetwork.see, dict[bytes, torch.Tensor]()

    def remembered(self: OnnxNetwork, squares: torch.Tensor) -> torch.Tensor:
        answers = []
        for square in squares.split(1):
            key = hashlib.sha256(square.numpy().tobytes()).digest()
            known[key] = answer = known[key] if key in known else plain(self, square)
            answers.append(answer)
        return torch.cat(answers)

    OnnxNetwork.see = remembered  # type: ignore[method-assign]
    for path in sorted((data / "image").iterdir())[:most]:
        alpha = next((data / "alpha").glob(f"{path.stem}.*"))
        want = torch.from_numpy(np.array(Image.open(alpha).convert("L"))).float() / 255
        image = picture(path)
        known.clear()
        for name, way in ways.items():
            apart = cutout(image, network, way).alpha[0, 0] - want
            rows[name].append((float(apart.abs().sum()) / 1000, 1000 * float(apart.square().mean())))
        print(path.name, *(f"{rows[n][-1][0]:.1f}" for n in ways), flush=True)
    print(f"\n| {len(rows['fast'])} pictures | SAD mean | median | MSE mean |\n|---|---|---|---|")
    for name, found in rows.items():
        sad, mse = np.array(found).T
        print(f"| {name} | {sad.mean():.1f} | {np.median(sad):.1f} | {mse.mean():.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network")
    parser.add_argument("--same", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--most", type=int, default=1000)
    parser.add_argument("--mean", type=float, help="of all channels, where the file is not known")
    parser.add_argument("--std", type=float)
    parser.add_argument("--no-cost", action="store_true")
    args = parser.parse_args()
    path = find.resolve(args.network)
    if args.same:
        same(path)
    mean, std = ((v,) * 3 if v is not None else None for v in (args.mean, args.std))
    network = load_onnx(path, "auto", Options(mean, std))  # type: ignore[arg-type]
    if not args.no_cost:
        cost(network)
    if args.data:
        quality(network, args.data, args.most)


if __name__ == "__main__":
    main()
