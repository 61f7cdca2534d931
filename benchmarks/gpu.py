"""The core on a GPU: first whether its results are right, then how fast it is and how near to what the GPU can do.

    pip install -c constraints.txt .
    python benchmarks/gpu.py                                        # the first CUDA device; about a minute
    python benchmarks/gpu.py --device cpu --megapixels 0.3 --views 256 256f --quick   # the same code without a GPU

Right means: against the same code in float32 on the CPU, with fresh random and real input. Times are medians between
device events, after warming up. The matrix rate and the copy bandwidth that shares are given of are measured here too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import torch  # noqa: E402
from timing import as_tensor, on_device, photograph  # noqa: E402
from torch import Tensor  # noqa: E402

from nuggy_nodes.core import Network, choose_device, choose_precision, cutout, load, recipe  # noqa: E402
from nuggy_nodes.core.foreground.estimate import estimate_foreground as foreground  # noqa: E402
from nuggy_nodes.core.network import cudagraph  # noqa: E402
from nuggy_nodes.core.network.fused import conv_relu  # noqa: E402
from nuggy_nodes.core.network.precision import choose_floating  # noqa: E402
from nuggy_nodes.core.ops.connected_components import components  # noqa: E402
from nuggy_nodes.core.refine.guided_filter import guided_filter  # noqa: E402
from nuggy_nodes.core.refine.islands import remove_islands  # noqa: E402
from nuggy_nodes.core.refine.refine import refine  # noqa: E402
from nuggy_nodes.core.segment.predict import predict  # noqa: E402
from nuggy_nodes.core.segment.views import parse_view  # noqa: E402

FLOP = 319e9  # of a view of 1024x1024, multiply-adds counted as two; grows with the square's area


class Bench:
    def __init__(self, device: torch.device, dtype: torch.dtype, quick: bool):
        self.device, self.dtype, self.rounds = device, dtype, 2 if quick else 20
        self.quick, self.failed = quick, 0
        self.network, self.exact = load(device=device, dtype=dtype), load()
        self.rate, self.bandwidth = self._limits()

    def _limits(self) -> tuple[float, float]:
        """Multiply-adds a second times two of one large matrix product, and bytes a second read and written."""
        n = 1024 if self.quick else 8192
        a, b = (torch.randn(n, n, device=self.device, dtype=self.dtype) for _ in range(2))
        ms = on_device(lambda: a @ b, self.device, self.rounds)
        x = torch.empty((1 << 24) if self.quick else (1 << 30), dtype=torch.uint8, device=self.device)
        y = torch.empty_like(x)
        return 2 * n**3 / ms * 1e3, 2 * x.numel() / on_device(lambda: y.copy_(x), self.device, self.rounds) * 1e3

    def check(self, what: str, got: Tensor, wanted: Tensor, mean: float, most: float | None = None) -> None:
        difference = (got.float().cpu() - wanted.float().cpu()).abs()
        worst = float(difference.max())
        good = bool(torch.isfinite(difference).all()) and float(difference.mean()) <= mean
        good &= most is None or worst <= most
        self.failed += not good
        limit = f"{mean:.0e}" + (f", {most:.0e}" if most is not None else "")
        right = "yes" if good else "NO"
        print(f"| {what} | {float(difference.mean()):.1e} | {worst:.1e} | {limit} | {right} |", flush=True)

    def time(self, what: str, work: Callable[[], object], note: Callable[[float], str] = lambda ms: "",
             target: str = "") -> None:  # fmt: skip
        before = peak = 0
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
            before = torch.cuda.memory_allocated(self.device)
            torch.cuda.reset_peak_memory_stats(self.device)
        ms = on_device(work, self.device, self.rounds)
        if self.device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(self.device)
        print(f"| {what} | {ms:.2f} | {note(ms)} | {peak / 2**30:.2f} ({before / 2**30:.2f}) | {target} |", flush=True)

    def of_rate(self, flop: float) -> Callable[[float], str]:
        return lambda ms: f"{flop / ms * 1e3 / self.rate:.0%} of the matrix rate"

    def of_bandwidth(self, size: float) -> Callable[[float], str]:
        return lambda ms: f"{size / ms * 1e3 / self.bandwidth:.0%} of the copy bandwidth"


def fresh(*shape: int) -> Tensor:
    return torch.rand(*shape)  # no seed: another input in every run


def correct(bench: Bench, image: Tensor, views: list[str]) -> None:
    print("\n| against float32 on the CPU | differs by | at most | allowed | right |\n|---|---|---|---|---|")
    one_kernel(bench)
    there, small = image.to(bench.device), fresh(1, 3, 300, 400)
    shown = [parse_view(v) for v in views]
    for what, x in (("a photograph", image), ("noise", small)):
        wanted = predict(bench.exact, x, shown, "regions")
        for turn in ("first", "again", "third"):  # the second records the graph, the third replays it
            got = predict(bench.network, x.to(bench.device), shown, "regions")
            bench.check(f"views of {what}, {turn}", got, wanted, 2e-3)
    for size in (0.95, 0.0):
        guide, src = size + 0.05 * fresh(1, 3, 400, 500), fresh(1, 1, 60, 80)
        got = guided_filter(guide.to(bench.device), src.to(bench.device), 64, 1e-4)
        bench.check(f"guided filter, guide near {size}", got, guided_filter(guide, src, 64, 1e-4), 1e-5, 1e-3)
    src = (image.mean(1, keepdim=True) > 0.45).float()
    wanted = guided_filter(image, src, 64, 1e-4)
    bench.check("guided filter, a photograph", guided_filter(there, src.to(bench.device), 64, 1e-4), wanted, 1e-5, 1e-3)
    for density, connectivity in ((0.407, 8), (0.593, 4)):
        mask = torch.rand(500, 700) < density
        one, other = components(mask, connectivity), components(mask.to(bench.device), connectivity)
        bench.check(f"components of noise, {connectivity} neighbours", other.part, one.part, 0, 0)
    alpha = wanted.clamp(0, 1)
    got, reports = remove_islands(alpha.to(bench.device), max_hole=0.001)
    want, report = remove_islands(alpha, max_hole=0.001)
    bench.check("islands", got, want, 0, 0)
    bench.failed += reports != report
    whole = cutout(image, bench.exact, recipe("balanced", views=tuple(shown))).alpha
    got = cutout(there, bench.network, recipe("balanced", views=tuple(shown))).alpha
    bench.check("balanced, alpha", got, whole, 2e-3)
    bench.check("foreground of that alpha", foreground(there, whole.to(bench.device)), foreground(image, whole), 2e-3)


def one_kernel(bench: Bench) -> None:
    """Convolution, bias and ReLU in one, in memory full of NaN: what is multiplied by nothing must not be read."""
    for cin, cout, dilation, size in ((64, 32, 1, 128), (256, 256, 4, 32), (32, 16, 2, 77)):
        layer = torch.nn.Conv2d(cin, cout, 3, padding=dilation, dilation=dilation)
        x = fresh(2, cin, size, size) - 0.5
        wanted = conv_relu(layer, x)
        layer = layer.to(bench.device, bench.dtype, memory_format=torch.channels_last)
        x = x.to(bench.device, bench.dtype, memory_format=torch.channels_last)
        poison = torch.full((1 << 26,), torch.nan, device=bench.device, dtype=bench.dtype)
        del poison
        bench.check(f"convolution, {cin} to {cout} channels of {size}", conv_relu(layer, x), wanted, 1e-3, 2e-2)


def graph_memory(bench: Bench) -> None:
    """What the graphs of one network hold, one shape after the other."""
    for n, size in ((1, 1024), (2, 896), (1, 640), (8, 1024)):
        x = torch.rand(n, 3, size, size, device=bench.device, dtype=bench.dtype)
        x = x.contiguous(memory_format=torch.channels_last)
        torch.cuda.empty_cache()
        before = torch.cuda.memory_reserved(bench.device)
        for _ in range(3):
            cudagraph.run(bench.network.model, x)
        torch.cuda.empty_cache()
        held = torch.cuda.memory_reserved(bench.device) - before
        print(f"| graph of {n} of {size} | | | +{held / 2**30:.2f} held | |", flush=True)
    cudagraph.forget(bench.network.model)


def network_times(bench: Bench, size: int) -> None:
    def squares(n: int) -> Tensor:
        x = torch.rand(n, 3, size, size, device=bench.device, dtype=bench.dtype)
        return x.contiguous(memory_format=torch.channels_last)

    flop = FLOP * (size / 1024) ** 2
    model = bench.network.model
    for n in (1, 2, 8):
        x, target = squares(n), {2: "6 ms", 8: "32 ms (250 views a second)"}.get(n, "") if size == 1024 else ""
        bench.time(f"network, {n} of {size}", lambda x=x: model(x), bench.of_rate(n * flop))
        if bench.device.type == "cuda":
            replay = lambda x=x: cudagraph.run(model, x)  # noqa: E731
            bench.time(f"network, {n} of {size}, graph", replay, bench.of_rate(n * flop), target)


def stage_times(bench: Bench, megapixels: float, network: Network) -> None:
    image = as_tensor(photograph(megapixels), bench.device)
    pixels = image[0, 0].numel()
    src = (image.mean(1, keepdim=True) > 0.45).float()
    alpha = guided_filter(image, src, 64, 1e-4).clamp_(0, 1)
    name = f"{megapixels:g} MP"
    views = recipe("balanced").views
    if not bench.quick:
        bench.time(f"views of balanced, {name}", lambda: predict(network, image, views, "regions"))
    if not bench.quick:
        coarse = predict(network, image, views, "regions")
        edge = recipe("balanced").part("edge")
        bench.time(f"refinement of balanced, {name}", lambda: refine(image, coarse, **edge))
        bench.time(f"the same without detail, {name}", lambda: refine(image, coarse, **{**edge, "detail": 0.0}))
    for radius in (16, 64):
        bench.time(f"guided filter, radius {radius}, {name}", lambda r=radius: guided_filter(image, src, r, 1e-4),
                   bench.of_bandwidth(4 * pixels * 5))  # fmt: skip
    bench.time(f"islands, {name}", lambda: remove_islands(alpha), bench.of_bandwidth(4 * pixels * 2))
    bench.time(f"foreground, {name}", lambda: foreground(image, alpha), bench.of_bandwidth(4 * pixels * 7))
    if not bench.quick:
        bench.time(f"balanced, {name}, tensor in to mask out", lambda: cutout(image, network, "balanced").alpha,
                   target="25 ms, 2.5 GiB" if megapixels == 12 else "")  # fmt: skip
        bench.time(f"best, {name}", lambda: cutout(image, network, "best").alpha)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 12, 48])
    parser.add_argument("--views", nargs="+", default=["896", "896f", "640fp15"], help="for the check of correctness")
    parser.add_argument("--quick", action="store_true", help="small and few: does the script run?")
    args = parser.parse_args()
    device = choose_device(args.device)
    if device.type != "cuda":
        print("No CUDA device is measured: these times say only that the script runs.\n")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    with torch.inference_mode():
        kind = choose_floating(device) if args.precision == "auto" else choose_precision(device, args.precision)
        bench = Bench(device, kind, args.quick)
        print(f"{name}, torch {torch.__version__}, {str(bench.dtype).removeprefix('torch.')}: one matrix product "
              f"{bench.rate / 1e12:.1f} Tflop/s, copy {bench.bandwidth / 1e9:.0f} GB/s")  # fmt: skip
        correct(bench, as_tensor(photograph(min(args.megapixels[0], 1))), args.views)
        print("\n| | ms | | peak GiB (held before) | asked |\n|---|---|---|---|---|")
        network_times(bench, 256 if args.quick else 1024)
        if device.type == "cuda":
            graph_memory(bench)
        for megapixels in args.megapixels:
            stage_times(bench, megapixels, bench.network)
    if bench.failed:
        print(f"\n{bench.failed} results are wrong.")
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
