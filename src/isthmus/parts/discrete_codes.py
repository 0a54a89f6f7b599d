"""Discrete codes: `VectorQuantizer`, which learns its codewords, and `FSQ`, which rounds."""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from isthmus.core.checks import fraction, no_negative_number, whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Code, CodeModule, Part
from isthmus.core.modules import affine
from isthmus.core.registry import register

LARGEST_WIDTH = 8
"""Greatest width of a codeword that is chosen automatically."""
LLOYD_ROUNDS = 10
"""Rounds of Lloyd's algorithm before training."""


class CodebookCode(CodeModule):
    """Groups of the code replaced by their nearest codewords; see `VectorQuantizer`."""

    def __init__(
        self, latent: int, count: int, width: int, commitment: float, decay: float, gradient: str, restart: float
    ) -> None:
        super().__init__(latent)
        self.codewords = count
        self.width = width
        self.commitment = commitment
        self.decay = decay
        self.rotates = gradient == "rotation"
        self.restart = restart
        self.codebook: Tensor = nn.Buffer(torch.zeros(count, width))
        self.uses: Tensor = nn.Buffer(torch.ones(count))
        self.sums: Tensor = nn.Buffer(torch.zeros(count, width))

    @torch.no_grad()
    def start(self, h: Tensor, generator: Generator) -> None:
        """Choose the first codewords: random training rows, then a few rounds of Lloyd's algorithm."""
        vectors = h.reshape(-1, self.width)
        drawn = torch.randint(len(vectors), (self.codewords,), generator=generator)
        spread = (
            0.01 * vectors.std(0) * torch.empty(self.codewords, self.width).normal_(generator=generator).to(vectors)
        )
        self.codebook.copy_(vectors[drawn] + spread)
        for _ in range(LLOYD_ROUNDS):
            uses, sums = self.totals(
                vectors, self.nearest(vectors), torch.ones_like(vectors[:, 0], dtype=self.uses.dtype)
            )
            self.codebook.copy_(torch.where(uses[:, None] > 0, sums / uses.clamp_min(1)[:, None], self.codebook))
        self.uses.fill_(len(vectors) / self.codewords)
        self.sums.copy_(self.codebook * self.uses[:, None])

    def nearest(self, vectors: Tensor) -> Tensor:
        """Return the number of the codeword nearest to each vector (n, width), (n,)."""
        codebook = self.codebook.to(vectors)
        # ‖v - e‖² without ‖v‖², which is the same for all codewords.
        return affine(vectors, -2 * codebook, codebook.square().sum(1), self.training).argmin(1)

    def totals(self, vectors: Tensor, words: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weight of the vectors of each codeword, (codewords,), and their sum, (codewords, width).

        `words` (n,) are the numbers of the codewords of the vectors (n, width), and `share` (n,) the vectors' weights.
        """
        uses = torch.zeros_like(self.uses).index_add_(0, words, share)
        return uses, torch.zeros_like(self.sums).index_add_(0, words, vectors.to(self.sums) * share[:, None])

    def indices(self, h: Tensor) -> Tensor:
        """Return the number of the codeword of each group of inputs (B, K), (B, K/width)."""
        return self.nearest(h.reshape(-1, self.width)).view(len(h), -1)

    def usage(self, code: Code) -> Tensor:
        """Return which codewords the batch uses, (codewords,)."""
        used = torch.zeros(self.codewords, dtype=torch.bool, device=code.mean.device)
        used[self.indices(code.mean)] = True
        return used

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """Return codewords for the encoder's output (B, K), with the distance between them as a term."""
        vectors = h.reshape(-1, self.width)
        nearest = self.nearest(vectors.detach())
        words = self.codebook.to(h)[nearest]
        distance = (vectors - words).square().view(len(h), -1).sum(1)
        passed = rotated(vectors, words) if self.rotates else vectors + (words - vectors).detach()
        if self.training:
            self.learn(vectors.detach(), nearest, self.shares(len(h), vectors, weight))
        return Code(passed.view_as(h), words.view_as(h), terms={"commitment": self.commitment * distance})

    def shares(self, rows: int, vectors: Tensor, weight: Tensor | None) -> Tensor:
        """Return the weight of each vector, (n,): that of its row, scaled to a mean of 1."""
        each = torch.ones_like(vectors[:, 0], dtype=self.uses.dtype)
        if weight is None:
            return each
        mean = weight.mean().clamp_min(torch.finfo(self.uses.dtype).tiny)
        return each * (weight / mean).to(each).repeat_interleave(len(vectors) // rows)

    @torch.no_grad()
    def learn(self, vectors: Tensor, words: Tensor, share: Tensor) -> None:
        """Move each codeword to the running mean of its vectors; restart codewords that have too few."""
        uses, sums = self.totals(vectors, words, share)
        self.uses.lerp_(uses, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        even = len(vectors) / self.codewords
        dead = self.uses < self.restart * even
        drawn = torch.multinomial(share.clamp_min(1e-30), self.codewords, replacement=True, generator=self.generator)
        self.sums.copy_(torch.where(dead[:, None], even * vectors[drawn].to(self.sums), self.sums))
        self.uses.copy_(torch.where(dead, even, self.uses))
        self.codebook.copy_(self.sums / self.uses[:, None].clamp_min(1e-5))


def rotated(vectors: Tensor, words: Tensor) -> Tensor:
    """Return the words, with a gradient that is rotated and scaled like the map from each vector to its word.

    z ↦ sg[(‖e‖/‖z‖) R] z, where R rotates z/‖z‖ to e/‖e‖ in their plane (Fifty et al. 2024, equation 4).
    """
    size = vectors.norm(dim=1, keepdim=True).detach().clamp_min(1e-6)
    length = words.norm(dim=1, keepdim=True)
    here, there = vectors.detach() / size, words / length.clamp_min(1e-6)
    middle = here + there
    middle = middle / middle.norm(dim=1, keepdim=True).clamp_min(1e-6)
    along = (vectors * middle).sum(1, keepdim=True)
    turned = vectors - 2 * along * middle + 2 * (vectors * here).sum(1, keepdim=True) * there
    moved = length / size * turned
    # Forward, exactly the words, despite rounding.
    return moved + (words - moved).detach()


@register("code")
@dataclass
class VectorQuantizer(Part):
    """Each group of `width` numbers is replaced by the nearest of `codes` learned codewords (van den Oord et al. 2017).

    Codewords are running means of the vectors that they replace; the term c‖h - sg e‖² keeps the encoder near them. A
    row becomes K/width whole numbers: `AutoEncoder.indices`.

    Parameters
    ----------
    codes : int
        Number of codewords, at least 2.
    width : int, optional
        Numbers per codeword; K must be a multiple of it. None means the largest divisor of K up to 8.
    commitment : float
        c, at least 0, in nats per squared unit of the code.
    decay : float
        Weight of the old value in the running means, in [0, 1), per training step.
    gradient : {"rotation", "straight_through"}
        How the gradient passes the replacement: rotated with it (Fifty et al. 2024), or unchanged.
    restart : float
        A codeword whose running use falls below this share of even use restarts at a row of the batch; at least 0.

    Raises
    ------
    ValueError
        In `fit`, if a parameter is out of its range, or if the width does not divide the size of the code.

    Examples
    --------
    >>> VectorQuantizer(codes=64).build(latent=12).width
    6
    """

    codes: int = 512
    width: int | None = None
    commitment: float = 0.25
    decay: float = 0.99
    gradient: str = "rotation"
    restart: float = 0.5

    def build(self, latent: int) -> CodebookCode:
        """Return the module from (B, latent) to a `Code`."""
        count = whole_number("codes of VectorQuantizer", self.codes, 2)
        if self.width is None:
            width = max(w for w in range(1, LARGEST_WIDTH + 1) if latent % w == 0)
        else:
            width = whole_number("width of VectorQuantizer", self.width, 1)
        if latent % width:
            raise ValueError(
                f"width of VectorQuantizer must divide the size of the code; got width={width} and latent={latent}"
            )
        refuse_unknown("gradient of VectorQuantizer", self.gradient, ("rotation", "straight_through"))
        return CodebookCode(
            latent,
            count,
            width,
            no_negative_number("commitment of VectorQuantizer", self.commitment),
            fraction("decay of VectorQuantizer", self.decay),
            self.gradient,
            no_negative_number("restart of VectorQuantizer", self.restart),
        )


class RoundedCode(CodeModule):
    """Each coordinate rounded to one of a few levels; see `FSQ`."""

    activation = "identity"
    reach = 1.0

    def __init__(self, latent: int, levels: tuple[int, ...]) -> None:
        super().__init__(latent)
        self.group = len(levels)
        self.codewords = math.prod(levels)
        self.levels: Tensor = nn.Buffer(torch.tensor(levels * (latent // len(levels))), persistent=False)

    def rounded(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Return h (B, K) bounded, and the same rounded to whole numbers around 0."""
        half = (self.levels.to(h) - 1) * (1 + 1e-3) / 2
        # An even number of levels is half a step off 0 (Mentzer et al. 2023, section 3.1).
        offset = torch.where(self.levels % 2 == 0, 0.5, 0.0).to(h)
        bounded = torch.tanh(h + torch.atanh(offset / half)) * half - offset
        return bounded, bounded.round()

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """Return levels in [-1, 1] for the encoder's output (B, K)."""
        bounded, whole = self.rounded(h)
        z = (bounded + (whole - bounded).detach()) / (self.levels // 2).to(h)
        return Code(z, z)

    def indices(self, h: Tensor) -> Tensor:
        """Return the number of the codeword of each group of inputs (B, K), (B, groups)."""
        return self.numbers(self.rounded(h)[1])

    def numbers(self, whole: Tensor) -> Tensor:
        """Return mixed-radix numbers (B, groups) of levels (B, K) around 0."""
        digits = (whole.long() + self.levels // 2).view(len(whole), -1, self.group)
        radix = self.levels[: self.group].cumprod(0) // self.levels[: self.group]
        return (digits * radix).sum(2)

    def usage(self, code: Code) -> Tensor:
        """Return which codewords the batch uses, (codewords,)."""
        used = torch.zeros(self.codewords, dtype=torch.bool, device=code.mean.device)
        used[self.numbers((code.mean * (self.levels // 2).to(code.mean)).round())] = True
        return used


@register("code")
@dataclass
class FSQ(Part):
    """Finite scalar quantisation: each coordinate is bounded by a tanh and rounded (Mentzer et al. 2023).

    A group of coordinates has Π levels codewords without a codebook, so that none can die and no further term is
    needed. The gradient passes the rounding unchanged.

    Parameters
    ----------
    levels : tuple of int
        Number of levels of each coordinate of a group, each at least 2; the size of the code must be a multiple of the
        length.

    Raises
    ------
    ValueError
        In `fit`, if a level is less than 2, or if the size of the code is no multiple of the number of levels.

    Examples
    --------
    >>> import torch
    >>> FSQ((3,)).build(latent=2)(torch.tensor([[-5.0, 0.1]])).z.tolist()
    [[-1.0, 0.0]]
    """

    levels: tuple[int, ...] = (8, 5, 5, 5)

    def build(self, latent: int) -> RoundedCode:
        """Return the module from (B, latent) to a `Code`."""
        try:
            levels = tuple(whole_number("levels", level, 2) for level in self.levels)
        except (TypeError, ValueError):
            levels = ()
        if not levels:
            raise ValueError(f"levels of FSQ must be whole numbers of at least 2; got {self.levels!r}")
        if latent % len(levels):
            raise ValueError(
                f"the size of the code must be a multiple of the {len(levels)} levels of FSQ; got latent={latent}"
            )
        return RoundedCode(latent, levels)
