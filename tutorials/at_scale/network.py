"""A residual network of ten convolutions for 32×32 images, and what is done to a batch of them."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

PAD = 4  # pixels around an image before it is cropped, as in He et al. 2016, sec. 4.2


def convolution(inputs: int, outputs: int, halve: bool = False) -> nn.Sequential:
    """Return a 3×3 convolution with batch norm and ReLU; pooling first leaves these a quarter."""
    conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
    pool = nn.MaxPool2d(2) if halve else nn.Identity()
    return nn.Sequential(conv, pool, nn.BatchNorm2d(outputs), nn.ReLU())


class Residual(nn.Module):
    """Add what two convolutions make of x to x."""

    def __init__(self, channels: int):
        super().__init__()
        self.inside = nn.Sequential(
            convolution(channels, channels), convolution(channels, channels)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.inside(x)


def resnet(width: int = 64, classes: int = 10) -> nn.Module:
    """Return the network: widths w, 2w, 4w, 4w, each but the first halved and with a residual.

    Example:
        >>> resnet(8)(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 10])
    """
    widths = (width, 2 * width, 4 * width, 4 * width)
    stages = [convolution(3, width)]
    for inputs, outputs in pairwise(widths):
        stages += [convolution(inputs, outputs, halve=True), Residual(outputs)]
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes))
    return nn.Sequential(*stages, *head)


def crop_and_flip(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shift every image by up to 4 pixels each way, and mirror half of them.

    Args:
        images: shape (n, 3, side, side).
        generator: of random numbers, on the same device.
    """
    n, _, side, _ = images.shape
    padded = F.pad(images, (PAD,) * 4)
    draw = {"generator": generator, "device": images.device}
    top, left = torch.randint(0, 2 * PAD + 1, (2, n, 1), **draw)
    along = torch.arange(side, device=images.device)
    mirrored = torch.rand(n, 1, **draw) < 0.5
    rows, columns = top + along, left + torch.where(mirrored, along.flip(0), along)
    number = torch.arange(n, device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[number, rows[:, :, None], columns[:, None]].permute(
        0, 3, 1, 2
    )
