"""What the parts of an autoencoder tell each other, and what the rest of the library may ask of them.

A `Part` holds hyper-parameters. Its `build` method returns a torch module of one of these kinds:

- `Backbone`: an encoder or a decoder;
- `CodeModule`: the bottleneck;
- `isthmus.core.corruption.CorruptionModule`: the noise on the input;
- `isthmus.core.likelihood.LikelihoodModule`: p(x|z);
- `isthmus.core.network.PenaltyModule` and `ObjectiveModule`: they see the whole network, so they live beside it.

Everything that the library asks of a module is declared in these classes with a default, so a new part defines only
what is special about it.

Shapes: B rows, F features (columns of numbers), K code size, P outputs of the decoder.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple, Protocol, Self, runtime_checkable

from torch import Generator, Tensor, nn
from torch.distributions import Normal

from isthmus.core.choices import refuse_unknown, unknown


class Code(NamedTuple):
    """What the bottleneck returns for B rows, with K numbers per row.

    Examples
    --------
    >>> import torch
    >>> z = torch.zeros(3, 2)
    >>> Code(z, z).posterior is None
    True
    """

    z: Tensor
    """(B, K) what the decoder sees."""
    mean: Tensor
    """(B, K) the noise-free code, which `transform` returns."""
    posterior: Normal | None = None
    """q(z|x) with parameters of shape (B, K), if the code has a posterior."""
    terms: Mapping[str, Tensor] = {}
    """Terms that the code itself adds to the objective, {name: (B,)} in nats."""


class Step(NamedTuple):
    """One pass of B rows through the network: F features, K code size, P decoder outputs.

    Penalties and objectives receive it.
    """

    x: Tensor
    """(B, F) the clean target."""
    x_in: Tensor
    """(B, F) what the encoder saw."""
    code: Code
    """The code of each row."""
    theta: Tensor
    """(B, P) parameters of p(x|z)."""
    weight: Tensor | None = None
    """(B,) sample weights for statistics over the batch; None for equal weights."""
    mask: Tensor | None = None
    """(B, F) 1 for entries that the corruption hid; None if it marks nothing."""
    cells: Tensor | None = None
    """(B, F) weight of each entry in the reconstruction loss; None for equal weights."""


def batch_mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Return the mean of `values` (B, ...) over the rows of a batch, weighted by `weight` (B,) if it is given."""
    if weight is None:
        return values.mean(0)
    return (values * weight.view(-1, *[1] * (values.dim() - 1))).sum(0) / weight.sum()


class Stochastic(nn.Module):
    """A module that draws random numbers from the generator that `Network.seed` gave it.

    Noise that is part of the model, not only of its training (a Gaussian code), is drawn in training, and in validation
    whenever there is a generator, so that every epoch is validated with the same noise. Without a generator, in use,
    nothing is drawn.
    """

    generator: Generator | None = None
    """Source of random numbers; None in use."""

    @property
    def draws(self) -> bool:
        """Whether noise that is part of the model is drawn now."""
        return self.training or self.generator is not None

    def __getstate__(self) -> dict[str, object]:
        # A generator belongs to a run, not to a model: it is neither copied nor pickled with it.
        return self.__dict__ | {"generator": None}


@runtime_checkable
class Prior(Protocol):
    """A distribution p(z) over codes, from which new rows can be drawn."""

    def sample(self, count: int, latent: int, generator: Generator | None, like: Tensor) -> Tensor:
        """Draw codes (count, latent) with the number type of `like`, on its device."""
        ...


class Backbone(nn.Module):
    """An encoder or a decoder: `forward` maps (B, inputs) to (B, outputs).

    A network of fully connected layers describes them by `weights` and `biases`; training can then start at PCA. For
    any other network the defaults hold.

    Examples
    --------
    >>> import torch
    >>> class Scale(Backbone):
    ...     def __init__(self, features):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(torch.ones(features))
    ...
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> Scale(3).weights
    []
    """

    tied = False
    """Whether the weights belong to another module, of which these are transposes."""
    activation_name = "identity"
    """The activation between the fully connected layers."""
    normalised = False
    """Whether a normalisation layer rescales what passes."""
    shape: tuple[int, ...] | None = None
    """(H, W, C) if rows are flattened images."""

    @property
    def weights(self) -> list[Tensor]:
        """The weight matrices, (out, in) each, from input to output; empty if the layers are not all dense."""
        return []

    @property
    def biases(self) -> list[Tensor]:
        """The biases, (out,) each, from input to output; empty if the layers are not all dense."""
        return []

    def initialise(self, method: str, generator: Generator) -> None:
        """Write the first weights; by default the module keeps the weights it came with.

        Parameters
        ----------
        method : {"orthogonal", "torch"}
            The initialisation that the user asked for; a module may have one of its own.
        generator
            Source of random weights.
        """

    def centre_inputs(self, mean: Tensor) -> None:
        """Make the first layer see rows minus `mean` (inputs,), if the module can; by default nothing happens."""

    def set_output_bias(self, bias: Tensor) -> None:
        """Make the outputs start at `bias` (outputs,), if the module can; by default nothing happens."""


class CodeModule(Stochastic):
    """The bottleneck: `forward` maps the encoder's output (B, inputs) to a `Code`.

    `forward` also takes the weights of the rows, (B,) or None, for statistics over the batch.

    Parameters
    ----------
    latent : int
        K, the number of coordinates of the code.
    inputs : int, optional
        Numbers per row that the encoder must give; None means K.

    Examples
    --------
    >>> import torch
    >>> class Doubled(CodeModule):
    ...     def forward(self, h, weight=None):
    ...         return Code(2 * h, 2 * h)
    >>> Doubled(latent=2)(torch.ones(1, 2)).z.tolist()
    [[2.0, 2.0]]
    """

    activation: str | None = None
    """Name of the function that maps each of the first K inputs to a coordinate; None if there is no such function.

    With a name, training can start at PCA.
    """
    reach: float | None = None
    """Greatest distance of the inputs from 0 at the start of training; None leaves it to the activation."""
    has_posterior = False
    """Whether codes have a posterior q(z|x)."""
    codewords = 0
    """Number of codewords, if codes are chosen from a finite set; else 0."""
    warm_up_share = 0.0
    """Share of the training, in [0, 1), after which `begin` changes nothing any more."""
    made_by = "the code"
    """Name of the part that built this module, for messages."""

    def __init__(self, latent: int, inputs: int | None = None) -> None:
        super().__init__()
        self.latent = latent
        self.inputs = latent if inputs is None else inputs

    def rest_bias(self, noise_share: Tensor) -> Tensor:
        """Return the (inputs - K,) inputs beyond the first K at the start of training.

        `noise_share` (K,) is the variance of the noise divided by the variance of the data, along each coordinate.
        """
        return noise_share[:0]

    def start(self, h: Tensor, generator: Generator) -> None:
        """Look at the encoder's outputs (n, inputs) for training rows, once before the first step."""

    def begin(self, progress: float) -> None:
        """Take note of the share of the training that is done, in [0, 1]; it is 1 in use."""

    def indices(self, h: Tensor) -> Tensor:
        """Return the numbers of the codewords that replace the encoder's outputs (B, inputs), (B, words per row).

        Raises
        ------
        NotImplementedError
            If the code has no codewords.
        """
        raise NotImplementedError(
            f"the code {self.made_by} has no codewords; take code='vector_quantizer' or code='fsq', "
            "or define `codewords` and `indices(h)`"
        )

    def usage(self, code: Code) -> Tensor | None:
        """Return which units, (K,), or which codewords, (codewords,), a batch uses, as booleans.

        None means that the question makes no sense for this code.
        """
        return None


class Part:
    """Hyper-parameters of one slot of an autoencoder; `build` returns the module once the sizes are known.

    A part is a dataclass of hyper-parameters only. It takes part in scikit-learn's nested parameters:
    ``set_params(penalty__weight=0.1)``, `clone`, grid search. Model files store it by its parameters.

    Examples
    --------
    >>> from isthmus import L1
    >>> part = L1(weight=0.1)
    >>> part.get_params()
    {'weight': 0.1}
    >>> part.set_params(weight=0.2)
    L1(weight=0.2)
    """

    seeks_shape = False
    """Whether `for_shape` is of use for flat rows, too, that are found to be images."""

    @classmethod
    def for_columns(cls, sizes: tuple[int, ...]) -> Self:
        """Return the likelihood that a table takes for some of its columns.

        Parameters
        ----------
        sizes : tuple of int
            Numbers (cells) per column: 1, or the number of categories.

        Returns
        -------
        Part
            By default the part with its default parameters.
        """
        return cls()

    def for_shape(self, row_shape: tuple[int, ...]) -> Self:
        """Return the part for images (height, width) or (height, width, channels); by default itself."""
        return self

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the hyper-parameters by name; with `deep`, also those of nested parts as ``name__nested``."""
        params = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        if deep:
            for name, value in list(params.items()):
                if isinstance(value, Part):
                    params |= {f"{name}__{key}": nested for key, nested in value.get_params().items()}
        return params

    def set_params(self, **params: object) -> Self:
        """Set hyper-parameters by name, nested ones as ``name__nested``.

        Raises
        ------
        ValueError
            If a name is unknown; the message lists the known ones.
        """
        known = self.get_params(deep=False)
        # Parts are set before what is inside them, so that a new part gets the values that were meant for it.
        for name, value in sorted(params.items(), key=lambda item: item[0].count("__")):
            own, _, nested = name.partition("__")
            refuse_unknown(f"parameter of {type(self).__name__}", own, known)
            if nested:
                part = getattr(self, own)
                if not isinstance(part, Part):
                    raise ValueError(unknown(f"parameter of {type(self).__name__}", name, known))
                part.set_params(**{nested: value})
            else:
                setattr(self, own, value)
        return self
