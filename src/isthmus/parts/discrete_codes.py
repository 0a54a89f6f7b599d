"""Discrete codes: `VectorQuantizer`, which learns its codewords, and `FSQ`, which rounds."""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from isthmus.core.checks import fraction, no_negative_number, whole_number
from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Code, CodeModule, Part
from isthmus.core.modules import affine

LARGEST_WIDTH = 8
LLOYD_ROUNDS = 10


class CodebookCode(CodeModule):
    """Groups of the code replaced by their nearest codewords; see `VectorQuantizer`."""

    activation = None
    codebook: Tensor
    uses: Tensor
    sums: Tensor

    def __init__(
        self, latent: int, count: int, width: int, commitment: float, decay: float, gradient: str, restart: float
    ) -> None:
        super().__init__(latent)
        self.count = self.codewords = count
        self.width = width
        self.commitment = commitment
        self.decay = decay
        self.rotates = gradient == "rotation"
        self.restart = restart
        self.register_buffer("codebook", torch.zeros(count, width))
        self.register_buffer("uses", torch.ones(count))
        self.register_buffer("sums", torch.zeros(count, width))

    @torch.no_grad()
    def start(self, h: Tensor, generator: Generator) -> None:
        """Take the codewords from the training rows: random ones, then a few rounds of Lloyd's algorithm."""
        vectors = h.reshape(-1, self.width)
        drawn = torch.randint(len(vectors), (self.count,), generator=generator)
        spread = 0.01 * vectors.std(0) * torch.empty(self.count, self.width).normal_(generator=generator).to(vectors)
        self.codebook.copy_(vectors[drawn] + spread)
        for _ in range(LLOYD_ROUNDS):
            uses, sums = self.totals(
                vectors, self.nearest(vectors), torch.ones_like(vectors[:, 0], dtype=self.uses.dtype)
            )
            self.codebook.copy_(torch.where(uses[:, None] > 0, sums / uses.clamp_min(1)[:, None], self.codebook))
        self.uses.fill_(len(vectors) / self.count)
        self.sums.copy_(self.codebook * self.uses[:, None])

    def nearest(self, vectors: Tensor) -> Tensor:
        """Return the number of the nearest codeword for each vector (n, width), (n,)."""
        codebook = self.codebook.to(vectors)
        # ‖v - e‖² without ‖v‖², which all codewords share.
        return affine(vectors, -2 * codebook, codebook.square().sum(1), self.training).argmin(1)

    def totals(self, vectors: Tensor, chosen: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
        """How much chose each codeword, (count,), and the sum of the vectors it stood for, (count, width).

        Each vector (n, width) counts as much as its share (n,).
        """
        uses = torch.zeros_like(self.uses).index_add_(0, chosen, share)
        return uses, torch.zeros_like(self.sums).index_add_(0, chosen, vectors.to(self.sums) * share[:, None])

    def indices(self, h: Tensor) -> Tensor:
        """Return which codeword stands for each group of inputs (B, K): (B, K/width)."""
        return self.nearest(h.reshape(-1, self.width)).view(len(h), -1)

    def usage(self, code: Code) -> Tensor:
        """Which codewords the batch uses, (count,)."""
        used = torch.zeros(self.count, dtype=torch.bool, device=code.mean.device)
        used[self.indices(code.mean)] = True
        return used

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """(B, K) to codewords, and how far the inputs are from them as a term."""
        vectors = h.reshape(-1, self.width)
        chosen = self.nearest(vectors.detach())
        words = self.codebook.to(h)[chosen]
        distance = (vectors - words).square().view(len(h), -1).sum(1)
        passed = rotated(vectors, words) if self.rotates else vectors + (words - vectors).detach()
        if self.training:
            self.learn(vectors.detach(), chosen, self.shares(len(h), vectors, weight))
        return Code(passed.view_as(h), words.view_as(h), terms={"commitment": self.commitment * distance})

    def shares(self, rows: int, vectors: Tensor, weight: Tensor | None) -> Tensor:
        """How much each vector counts, (n,): its row's weight, on average 1."""
        each = torch.ones_like(vectors[:, 0], dtype=self.uses.dtype)
        if weight is None:
            return each
        mean = weight.mean().clamp_min(torch.finfo(self.uses.dtype).tiny)
        return each * (weight / mean).to(each).repeat_interleave(len(vectors) // rows)

    @torch.no_grad()
    def learn(self, vectors: Tensor, chosen: Tensor, share: Tensor) -> None:
        """Move the codewords to the running means of what they stand for; start those anew that stand for nothing."""
        uses, sums = self.totals(vectors, chosen, share)
        self.uses.lerp_(uses, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        even = len(vectors) / self.count
        dead = self.uses < self.restart * even
        drawn = torch.multinomial(share.clamp_min(1e-30), self.count, replacement=True, generator=self.generator)
        self.sums.copy_(torch.where(dead[:, None], even * vectors[drawn].to(self.sums), self.sums))
        self.uses.copy_(torch.where(dead, even, self.uses))
        self.codebook.copy_(self.sums / self.uses[:, None].clamp_min(1e-5))


def rotated(vectors: Tensor, words: Tensor) -> Tensor:
    """Return the words, with a gradient that turns and stretches with the map that takes each vector to its word.

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
    # Exactly the words going forward, whatever rounding did.
    return moved + (words - moved).detach()


@dataclass
class VectorQuantizer(Part):
    """Each group of `width` numbers is replaced by the nearest of `codes` learned codewords (van den Oord et al. 2017).

    Codewords are running means of what they stand for; nll + c‖h - sg e‖² keeps the encoder near them. A row is K/width
    whole numbers: `AutoEncoder.indices`.

    Parameters
    ----------
    codes : int
        Codewords, at least 2.
    width : int, optional
        Numbers a codeword; K has to be a multiple of it. None takes the largest divisor of K up to 8.
    commitment : float
        c.
    decay : float
        Of the running means, in [0, 1).
    gradient : {"rotation", "straight_through"}
        How the gradient passes the replacement: turned with it (Fifty et al. 2024), or as it is.
    restart : float
        Share of even use below which a codeword (on its running mean) starts anew at a row of the batch.

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
        """Return the module (B, latent) to `Code`."""
        count = whole_number("codes of VectorQuantizer", self.codes, 2)
        if self.width is None:
            width = max(w for w in range(1, LARGEST_WIDTH + 1) if latent % w == 0)
        else:
            width = whole_number("width of VectorQuantizer", self.width, 1)
        if latent % width:
            raise ValueError(
                f"width of VectorQuantizer has to divide the size of the code; got width={width} and latent={latent}"
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
    """Every coordinate one of a few levels; see `FSQ`."""

    activation = "identity"
    reach = 1.0
    levels: Tensor

    def __init__(self, latent: int, levels: tuple[int, ...]) -> None:
        super().__init__(latent)
        self.group = len(levels)
        self.count = self.codewords = math.prod(levels)
        self.register_buffer("levels", torch.tensor(levels * (latent // len(levels))), persistent=False)

    def rounded(self, h: Tensor) -> tuple[Tensor, Tensor]:
        """Bound h (B, K) and round it; return both, whole numbers around 0."""
        half = (self.levels.to(h) - 1) * (1 + 1e-3) / 2
        # Even numbers of levels lie half a step off 0 (Mentzer et al. 2023, section 3.1).
        offset = torch.where(self.levels % 2 == 0, 0.5, 0.0).to(h)
        bounded = torch.tanh(h + torch.atanh(offset / half)) * half - offset
        return bounded, bounded.round()

    def forward(self, h: Tensor, weight: Tensor | None = None) -> Code:
        """(B, K) to levels in [-1, 1]."""
        bounded, whole = self.rounded(h)
        z = (bounded + (whole - bounded).detach()) / (self.levels // 2).to(h)
        return Code(z, z)

    def indices(self, h: Tensor) -> Tensor:
        """Return the number of the codeword of each group, (B, K/levels)."""
        return self.numbers(self.rounded(h)[1])

    def numbers(self, whole: Tensor) -> Tensor:
        """Levels (B, K) around 0 to mixed-radix numbers (B, groups)."""
        digits = (whole.long() + self.levels // 2).view(len(whole), -1, self.group)
        radix = self.levels[: self.group].cumprod(0) // self.levels[: self.group]
        return (digits * radix).sum(2)

    def usage(self, code: Code) -> Tensor:
        """Which codewords the batch uses, (count,)."""
        used = torch.zeros(self.count, dtype=torch.bool, device=code.mean.device)
        used[self.numbers((code.mean * (self.levels // 2).to(code.mean)).round())] = True
        return used


@dataclass
class FSQ(Part):
    """Finite scalar quantisation: each coordinate is bounded by a tanh and rounded (Mentzer et al. 2023).

    Π levels codewords a group of coordinates without a codebook, so that none can die and no term is needed; the
    gradient passes the rounding as it is.

    Parameters
    ----------
    levels : tuple of int
        Levels of the coordinates, each at least 2, repeated over the code, whose size has to be a multiple.

    Examples
    --------
    >>> import torch
    >>> FSQ((3,)).build(latent=2)(torch.tensor([[-5.0, 0.1]])).z.tolist()
    [[-1.0, 0.0]]
    """

    levels: tuple[int, ...] = (8, 5, 5, 5)

    def build(self, latent: int) -> RoundedCode:
        """Return the module (B, latent) to `Code`."""
        try:
            levels = tuple(whole_number("levels", level, 2) for level in self.levels)
        except (TypeError, ValueError):
            levels = ()
        if not levels:
            raise ValueError(f"levels of FSQ have to be whole numbers of at least 2; got {self.levels!r}")
        if latent % len(levels):
            raise ValueError(
                f"FSQ has {len(levels)} levels, of which the size of the code has to be a multiple; got latent={latent}"
            )
        return RoundedCode(latent, levels)
