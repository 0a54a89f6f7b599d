"""Where training starts: at PCA, at orthogonal matrices, or at torch's own random weights.

PCA: each layer is written so that the coordinates c = Pᵀ(x - m) of a row can be read off its output by an affine map.

- *split*: an activation with a(x) - a(-x) = x (relu, silu, gelu, softplus) and a layer of at least 2·R units hold
  a(c) and a(-c), whose difference is exactly c;
- *straight*: otherwise R units work where the activation is nearest to a straight line, and c is read off
  approximately.

The matrix of each layer is then (what the layer must hold) · (how to read c off the layer before), and the last layer
writes Pc + m. Components without variance are left out: what is left of them is rounding, and no layer may make that
large. Where noise of variance σ² is added to the input, the reconstruction is P diag(λ/(λ + σ²)) c + m, with the
variances λ of the coordinates: the Wiener filter, or its best approximation of that rank, for PCA has the same
directions. A likelihood of columns of several kinds gets the best linear map from c to its outputs instead
(`isthmus.core.readout`). Where this is worse than the columns' means, it is drawn back to them
(`isthmus.core.mean_start`). Spare units get orthogonal incoming weights and zero outgoing weights: they change nothing
at first and learn from the first step. The idea is the "looks-linear" initialisation of Balduzzi et al. (2017), with
PCA as the linear map.
"""

import torch
from torch import Generator, Tensor

from isthmus.core.choices import refuse_unknown
from isthmus.core.contract import Backbone
from isthmus.core.layer_writing import Readout, silence_spare, splits, write, write_code, write_hidden
from isthmus.core.mean_start import SHARES, Comparison, hold_to_mean, mean_outputs, start_at_mean
from isthmus.core.modules import activation
from isthmus.core.network import Network
from isthmus.core.output_line import output_line
from isthmus.core.principal import PrincipalComponents
from isthmus.core.readout import best_linear, rows_as_trained

INITIALISATIONS = ("pca", "orthogonal", "torch")
LEAST_SHARE = 1e-6
"""Share of PCA at which tied weights start if nothing larger is as good as the mean; at 0 they would never learn."""


def initialise(
    network: Network,
    method: str,
    generator: Generator,
    principal: PrincipalComponents | None = None,
    sample: Tensor | None = None,
    weight: Tensor | None = None,
) -> str:
    """Write the first weights of the network; return in words which initialisation was used.

    Parameters
    ----------
    network
        The network, whose weights are overwritten.
    method
        "pca", "orthogonal" or "torch".
    generator
        Source of random weights.
    principal
        The leading components of the training rows, as many as the code has coordinates; "pca" needs them.
    sample
        (n, F) training rows, on which "pca" fits the output's gain and offset and the range of the codes.
    weight
        (n,) weights of these rows, or None for equal weights.

    Returns
    -------
    str
        Such as "pca (exact)", or "orthogonal (pca is not possible: ...)" with the reason.

    Raises
    ------
    ValueError
        If the method is unknown.
    """
    refuse_unknown("init", method, INITIALISATIONS)
    for backbone in (network.encoder, network.decoder):
        backbone.initialise(method, generator)
    for demand in network.demands:
        demand.initialise(generator)
    if method != "pca":
        return method
    assert sample is not None
    obstacle = pca_obstacle(network, principal)
    if obstacle:
        drawn_back = start_at_mean(network, sample, weight)
        return f"orthogonal (pca is not possible: {obstacle}){drawn_back}"
    assert principal is not None
    return start_at_pca(network, principal, sample, weight)


def pca_obstacle(network: Network, principal: PrincipalComponents | None = None) -> str | None:
    """Return why the network cannot start at PCA, or None if it can."""
    encoder, decoder = network.encoder, network.decoder
    if not encoder.weights or encoder.tied or not decoder.weights:
        return "the encoder and the decoder are not both dense"
    if network.code.activation is None:
        return f"the code {network.code.made_by} does not map each coordinate on its own"
    if network.likelihood.activation is None and not network.likelihood.starts_linear:
        return f"the likelihood {network.likelihood.made_by} has no mean that a decoder gives directly"
    if encoder.normalised or decoder.normalised:
        return "a normalisation layer rescales what passes"
    if decoder.tied:
        rank = encoder.weights[-1].shape[0]
        narrow = [weight.shape[0] for weight in encoder.weights[:-1] if not splits(encoder, weight.shape[0], rank)]
        if narrow or network.code.activation != "identity":
            return "tied weights need hidden layers of twice the code's size, an activation that splits, a linear code"
        if principal is not None and principal.components.shape[1] < rank:
            return f"tied weights need {rank} components for the code, and there are {principal.components.shape[1]}"
    return None


@torch.no_grad()
def start_at_pca(network: Network, principal: PrincipalComponents, sample: Tensor, weight: Tensor | None = None) -> str:
    """Write PCA into a network without obstacles, no worse than the mean; return in words how exactly."""
    encoder, decoder = network.encoder, network.decoder
    latent, supplied = network.code.latent, principal.components.shape[1]
    # Tied matrices cannot silence what they read; directions without variance do no harm where nothing is rescaled.
    dimensions = supplied if decoder.tied else principal.rank(sample.dtype)
    hidden = [weight.shape[0] for weight in [*encoder.weights[:-1], *decoder.weights[:-1]]]
    rank = min([latent, dimensions, *hidden])
    principal = principal.first(rank)
    drawn_back = (write_tied if decoder.tied else write_pca)(network, principal, sample, weight)
    if network.likelihood.starts_linear:
        words = "and the best linear map from it"
    elif rank < min(latent, dimensions if dimensions < supplied else sample.shape[1]):
        words = f"{rank} of {latent} components: a layer or the data have no room for more"
    else:
        words = exactness(network, encoder, decoder, rank)
    if noise_of(network) > 0:
        words += "; shrunk by the noise, as the Wiener filter does"
    if rank == dimensions < min(latent, supplied):
        words += f"; {rank} components hold all of the variance"
    return f"pca ({words}{drawn_back})"


def write_pca(network: Network, principal: PrincipalComponents, sample: Tensor, weight: Tensor | None) -> str:
    """Write PCA into a network without tied weights; return in words how many columns are drawn back to their mean."""
    write_components(network, principal, sample, weight, 1.0)
    return hold_to_mean(network, sample, weight)


def write_tied(network: Network, principal: PrincipalComponents, sample: Tensor, weight: Tensor | None) -> str:
    """Write PCA into a network with tied weights; return in words how far it is drawn back to the mean."""
    for share in (*SHARES[:-1], LEAST_SHARE):
        write_components(network, principal, sample, weight, share)
        if Comparison(network, sample, weight).total_is_no_worse():
            break
    return f"; {share:.2g} of it, drawn back to the mean" if share < 1 else ""


def write_components(
    network: Network, principal: PrincipalComponents, sample: Tensor, weight: Tensor | None, share: float
) -> None:
    """Write components into every layer, and the reconstruction that they give, or a `share` of its way from the mean.

    A share other than 1 is for tied weights, which read with what they write with.
    """
    encoder, decoder, likelihood = network.encoder, network.decoder, network.likelihood
    coordinates = noisy(coordinates_of(network, principal, sample), noise_of(network))
    kept = principal.kept(noise_of(network))
    gain, offset = 1.0, 0.0
    if likelihood.activation is not None and not likelihood.starts_linear:
        gain, offset = output_line(likelihood.activation, principal, kept * coordinates, sample, weight)
    # Tied matrices read and write with the same numbers, so each must contribute the square root of the output's gain.
    stretch = (share * gain * kept).sqrt() if decoder.tied else torch.ones_like(kept)
    # A coordinate without spread is rounding noise; no layer may scale it up to its full reach.
    least = max(1e-3 * float(sample.nan_to_num(0).abs().max()), 1e-12)
    spread = (stretch * coordinates).abs().amax(0).clamp_min(least)

    rank, first, features = len(principal.variances), encoder.weights[0], len(principal.mean)
    reading = torch.zeros(rank, first.shape[1], dtype=torch.float64, device=spread.device)
    reading[:, :features] = stretch[:, None] * principal.components.T
    if network.shows_gaps:
        # What is hidden counts as the mean.
        assert network.corruption is not None, "the corruption marks what it hides"
        away = principal.mean - network.corruption.hidden_value
        reading[:, features:] = reading[:, :features] * away
    readout = Readout(reading, -stretch * (principal.components.T @ principal.mean))
    # Spare units see centred data too: a relu that is negative for every row would never learn.
    encoder.biases[0].copy_(-first[:, :features] @ principal.mean.to(first))
    for depth in range(len(encoder.weights) - 1):
        readout = write_hidden(encoder, depth, readout, spread)
    readout = write_code(encoder, network, readout, spread, stretch * principal.variances.sqrt())
    write_rest_of_code(encoder, network, principal)
    last = len(decoder.biases) - 1
    for depth in range(last):
        decoder.biases[depth].zero_()
        readout = write_hidden(decoder, depth, readout, spread)
    if likelihood.starts_linear:
        rows = rows_as_trained(network, sample, weight)
        held, shift = best_linear(likelihood, coordinates_of(network, principal, rows.seen), rows)
        write(decoder, last, slice(0, len(shift)), held, shift, readout)
        return
    shift = gain * principal.mean + offset
    if share < 1:
        start = mean_outputs(likelihood, sample, weight)[:features]
        shift = share * shift + (1 - share) * start
    write(decoder, last, slice(0, features), share * gain * kept / stretch * principal.written, shift, readout)
    rest = likelihood.spread_bias(principal.residual_variances())
    if len(rest):
        decoder.weights[last][features:] = 0
        decoder.biases[last][features:] = rest.to(decoder.biases[last])
    if decoder.tied:
        silence_spare(decoder, rank)


def noise_of(network: Network) -> float:
    """Return the variance of the noise that a corruption adds to every entry; 0 for any other."""
    return 0.0 if network.corruption is None or network.likelihood.starts_linear else network.corruption.noise_variance


def noisy(coordinates: Tensor, variance: float) -> Tensor:
    """Return coordinates (n, R) as they are with noise of a variance in every entry of the rows."""
    if variance == 0:
        return coordinates
    generator = Generator(coordinates.device).manual_seed(0)
    return coordinates + variance**0.5 * torch.empty_like(coordinates).normal_(generator=generator)


def exactness(network: Network, encoder: Backbone, decoder: Backbone, rank: int) -> str:
    """Return in words how exactly a network can hold `rank` principal coordinates."""
    straight = [
        (weight.shape[0], stack.activation_name)
        for stack in (encoder, decoder)
        for weight in stack.weights[:-1]
        if stack.activation_name != "identity" and not splits(stack, weight.shape[0], rank)
    ]
    if straight:
        width, name = min(straight)
        if activation(name).splits:
            return f"nearly: hidden layer of {width}, exact from {2 * rank} on"
        return f"nearly: {name} in the hidden layers"
    if network.code.activation != "identity":
        return f"nearly: {network.code.activation} on the code"
    if network.likelihood.activation != "identity":
        return f"exact up to the output's {network.likelihood.activation}"
    return "exact"


def coordinates_of(network: Network, principal: PrincipalComponents, sample: Tensor) -> Tensor:
    """Return the principal coordinates, (n, R) float64, of the sample (n, F) as the encoder sees it."""
    features = len(principal.mean)

    def seen(x: Tensor) -> Tensor:
        return network.likelihood.encoder_input(x)[:, :features] if network.likelihood.starts_linear else x

    # A few rows at a time: in float64 the sample may need more memory than all of the training.
    return torch.cat([(seen(x).double() - principal.mean) @ principal.components for x in sample.split(256)])


def write_rest_of_code(encoder: Backbone, network: Network, principal: PrincipalComponents) -> None:
    """Write the code's inputs beyond the first K, from the share of noise along each component."""
    latent, rank = network.code.latent, len(principal.variances)
    noise = principal.residual_variances().mean()
    share = torch.ones(latent, dtype=torch.float64)
    share[:rank] = (noise / principal.variances.clamp_min(1e-12)).clamp(0, 1)
    rest = network.code.rest_bias(share)
    if len(rest):
        encoder.weights[-1][latent:] = 0
        encoder.biases[-1][latent:] = rest.to(encoder.biases[-1])
