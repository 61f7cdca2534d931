"""IS-Net in small, for tests of what is done with weights and not of what the network sees."""

from __future__ import annotations

from torch import nn

from nuggy_nodes.core.network.isnet import ISNet


class Narrow(ISNet):
    """IS-Net's layers under their names, an eighth as wide: its files are a hundredth as large."""

    def __init__(self) -> None:
        super().__init__()
        for module in list(self.modules()):
            if isinstance(module, nn.Conv2d):
                cin, cout = (n if n in (1, 3) else n // 8 for n in (module.in_channels, module.out_channels))
                fresh = nn.Conv2d(cin, cout, 3, module.stride, module.padding, module.dilation)
                module.weight, module.bias = fresh.weight, fresh.bias
