"""What an ONNX file holds, read without running any of it and without a library: inputs, outputs, where weights lie.

The file is protocol buffers (onnx.proto3 of the ONNX project has the numbers of the fields). Weights themselves are
stepped over, so a gigabyte takes no longer than its graph. ONNX Runtime gets a file only when `read` was content.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import WeightsError
from .protobuf import Messages

DEEPEST = 16  # graphs within graphs: real ones have two or three levels
KINDS = {1: "float32", 2: "uint8", 3: "int8", 6: "int32", 7: "int64", 8: "text", 9: "bool", 10: "float16",
         11: "float64", 16: "bfloat16"}  # fmt: skip
PASSED_ON = {
    "Cast",
    "Identity",
    "Squeeze",
    "Unsqueeze",
    "Reshape",
    "Clip",
    "Resize",
}  # a sigmoid before these is still one


@dataclass(frozen=True)
class Port:
    """An input or output. dims: None for a side that the file leaves open; () where it says no shape at all."""

    name: str
    kind: str
    dims: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.name} ({self.kind} {'x'.join('?' if d is None else str(d) for d in self.dims) or 'any shape'})"


@dataclass
class Graph:
    """inputs: less those that have a stored value. made_by: of each value, the operator and its first input.
    convolutions: how many; outside: files with weights, relative to the file's own folder."""

    inputs: list[Port] = field(default_factory=list)
    outputs: list[Port] = field(default_factory=list)
    made_by: dict[str, tuple[str, str]] = field(default_factory=dict)
    operators: set[str] = field(default_factory=set)
    convolutions: int = 0
    outside: set[str] = field(default_factory=set)
    metadata: dict[str, str] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)

    def ends_in_sigmoid(self, output: str) -> bool:
        """Whether an output is a sigmoid's (or a softmax's), passed on.

        Args:
            output: its name.

        Returns:
            Whether it is.
        """
        name = output
        for _ in range(8):
            operator, before = self.made_by.get(name, ("", ""))
            if operator in PASSED_ON:
                name = before
                continue
            return operator in ("Sigmoid", "HardSigmoid", "Softmax")
        return False


def read(path: Path) -> Graph:
    """The graph of an ONNX file.

    Args:
        path: the file.

    Returns:
        What it holds, less the weights.

    Raises:
        WeightsError: not a whole ONNX file; weights in a file outside its folder, or missing; machine code in it.
    """
    try:
        with open(path, "rb") as f:
            held = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as e:  # an empty file cannot be mapped
        raise WeightsError(f"{path}: cannot be read ({getattr(e, 'strerror', None) or e})") from None
    graph = _Reader(path).model(memoryview(held))
    for location in sorted(graph.outside):
        _check_beside(path, location)
    if "EPContext" in graph.operators:
        raise WeightsError(f"{path}: refused: it holds code compiled for one processor; take the plain ONNX file")
    if not graph.inputs or not graph.outputs:
        raise WeightsError(f"{path}: not a whole ONNX file (no inputs or outputs); copy or download it again")
    return graph


def _check_beside(path: Path, location: str) -> None:
    """Weights in another file: of the same folder or one below it, and there. Raises WeightsError."""
    folder = path.resolve().parent
    beside = folder / location
    if not location or Path(location).is_absolute() or ".." in Path(location.replace("\\", "/")).parts:
        raise WeightsError(f"{path}: refused: its weights are said to lie at {location[:80]!r}, outside its folder")
    if not beside.resolve().is_relative_to(folder):
        raise WeightsError(f"{path}: refused: {location[:80]!r}, where its weights lie, leads out of its folder")
    if not beside.is_file():
        raise WeightsError(f"{path}: its weights lie in {location[:80]!r}, which is not beside it; copy it there")


class _Reader(Messages):
    """The messages of onnx.proto3."""

    def model(self, raw: memoryview) -> Graph:
        graph = Graph()
        for number, value in self.bytes_of(raw):
            if number == 7:
                self.graph(value, graph, 0)
            elif number == 14:
                graph.metadata[self.text(value, 1)] = self.text(value, 2)
            elif number == 25:  # functions: their nodes
                for n, part in self.bytes_of(value):
                    if n == 7:
                        self.node(part, graph, 1)
        graph.inputs = [p for p in graph.inputs if p.name not in graph.stored]
        return graph

    def graph(self, raw: memoryview, graph: Graph, depth: int) -> None:
        if depth > DEEPEST:
            raise self.broken()
        for number, value in self.bytes_of(raw):
            if number == 1:
                self.node(value, graph, depth)
            elif number == 5:
                graph.stored.add(self.tensor(value, graph))
            elif number == 15:
                for _, part in self.bytes_of(value):
                    self.tensor(part, graph)
            elif depth == 0 and number in (11, 12):
                (graph.inputs if number == 11 else graph.outputs).append(self.port(value))

    def node(self, raw: memoryview, graph: Graph, depth: int) -> None:
        inputs, outputs, operator = [], [], ""
        for number, value in self.bytes_of(raw):
            if number == 1:
                inputs.append(self.text(value))
            elif number == 2:
                outputs.append(self.text(value))
            elif number == 4:
                operator = self.text(value)
            elif number == 5:
                for n, part in self.bytes_of(value):
                    if n in (6, 11):
                        self.graph(part, graph, depth + 1)
                    elif n in (5, 10):
                        self.tensor(part, graph)
                    elif n in (22, 23):
                        for _, inner in self.bytes_of(part):
                            self.tensor(inner, graph)
        graph.operators.add(operator)
        graph.convolutions += operator == "Conv"
        if depth == 0:
            graph.made_by |= dict.fromkeys(outputs, (operator, inputs[0] if inputs else ""))

    def tensor(self, raw: memoryview, graph: Graph) -> str:
        """Its name; a place outside of the file is noted."""
        name, elsewhere, place = "", False, {}
        for number, value in self.walk(raw):
            if number == 14:
                elsewhere = value == 1
            elif number == 8 and isinstance(value, memoryview):
                name = self.text(value)
            elif number == 13 and isinstance(value, memoryview):
                place[self.text(value, 1)] = self.text(value, 2)
        if elsewhere or place:
            graph.outside.add(place.get("location", ""))
        return name

    def port(self, raw: memoryview) -> Port:
        kind, dims = 0, list[int | None]()
        for number, value in self.bytes_of(raw):
            if number != 2:
                continue
            for n, tensor in self.bytes_of(value):
                if n != 1:
                    continue
                for m, part in self.walk(tensor):
                    if m == 1 and isinstance(part, int):
                        kind = part
                    elif m == 2 and isinstance(part, memoryview):
                        dims = [self.dim(d) for k, d in self.bytes_of(part) if k == 1]
        return Port(self.text(raw, 1), KINDS.get(kind, "something else"), tuple(dims))

    def dim(self, raw: memoryview) -> int | None:
        said = [v for n, v in self.walk(raw) if n == 1 and isinstance(v, int)]
        return said[0] if said and 0 < said[0] < 1 << 31 else None
