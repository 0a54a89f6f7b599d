"""A user's part, tried once on two rows before it is trusted: what it lacks or returns wrongly is named.

Parts of isthmus itself are tried by the tests instead. A trial draws from generators of its own and changes a copy.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Generator, Tensor, nn

from isthmus.core.contract import Code, CodeModule
from isthmus.core.corruption import Corrupted, CorruptionModule
from isthmus.core.likelihood import LikelihoodModule
from isthmus.core.network import Network, ObjectiveModule, PenaltyModule

ROWS = 2
CONTRACTS: dict[str, type[nn.Module]] = {
    "code": CodeModule,
    "likelihood": LikelihoodModule,
    "corruption": CorruptionModule,
    "penalty": PenaltyModule,
    "objective": ObjectiveModule,
}
"""The class whose attributes and methods a module for a slot must have."""
FORWARD = {
    "code": "forward(h, weight=None)",
    "corruption": "forward(x)",
    "penalty": "forward(step, network)",
    "objective": "forward(step, network)",
}
"""The method by which the module of a slot is called."""

Module = TypeVar("Module", bound=nn.Module)


def users_own(part: object) -> bool:
    """Return whether a part is of the user's own class, rather than one of isthmus."""
    return type(part).__module__.partition(".")[0] != "isthmus"


def code(part: object, module: CodeModule) -> None:
    """Try the module of a user's code on outputs of an encoder; a `ValueError` names what is wrong."""
    if not users_own(part):
        return
    trial = Trial("code", part)
    trial.refuse_gaps(module)
    trial.refuse_no_forward(module)
    with trial.of(module) as tried:
        given = f"forward(h) with h of the shape ({ROWS}, {module.inputs})"
        made = trial.called(given, lambda: tried(torch.zeros(ROWS, module.inputs), None))
        if not isinstance(made, Code):
            raise trial.wrong(given, "an isthmus.Code", type(made).__name__)
        trial.refuse_shape(f"{given}, its z,", made.z, ROWS, module.latent)
        trial.refuse_shape(f"{given}, its mean,", made.mean, ROWS, module.latent)
        for name, term in made.terms.items():
            trial.refuse_shape(f"{given}, its term {name!r},", term, ROWS)


def likelihood(part: object, module: LikelihoodModule, features: int) -> None:
    """Try the module of a user's likelihood on legal rows; a `ValueError` names what is wrong."""
    if not users_own(part):
        return
    trial = Trial("likelihood", part)
    trial.refuse_gaps(module)
    theta, x = torch.zeros(ROWS, module.outputs), legal_rows(module, features)
    shapes = f"theta of the shape ({ROWS}, {module.outputs})"
    cells = (ROWS, features)
    with trial.of(module) as tried:
        tried.made_by = type(part).__name__
        trial.shape(f"mean(theta) with {shapes}", lambda: tried.mean(theta), *cells)
        trial.shape(f"columns(x, theta) with {shapes}", lambda: tried.columns(x, theta, None), *cells)
        trial.shape(f"nll(x, theta) with {shapes}", lambda: tried.nll(x, theta, None, None), ROWS)
        trial.shape("encoder_input(x)", lambda: tried.encoder_input(x), ROWS, module.inputs or features)
        draw = Generator().manual_seed(0)
        trial.shape_if_defined(f"sample(theta, generator) with {shapes}", lambda: tried.sample(theta, draw), *cells)
        trial.shape_if_defined(f"variances(theta) with {shapes}", lambda: tried.variances(theta), *cells)
        trial.shape_if_defined(f"half_deviance(x, theta) with {shapes}", lambda: tried.half_deviance(x, theta), *cells)
        bias = f"start_bias(mean, variance) with {features} columns"
        trial.shape_if_defined(bias, lambda: tried.start_bias(x[1], torch.ones(features)), module.outputs)
        trial.refuse_wrong_derivative(tried, x)
    if sum(module.groups(features)) != features:
        raise trial.wrong("groups(features)", f"sizes that sum to {features}", str(module.groups(features)))


def legal_rows(module: LikelihoodModule, features: int) -> Tensor:
    """Return two rows (2, F) of zeros and ones, within the support of a likelihood."""
    first = [float(cell == 0) for size in module.groups(features) for cell in range(size)]
    ones = torch.tensor(first if len(first) == features else [1.0] * features)
    rows = torch.stack([ones if module.blocked else torch.zeros(features), ones])
    return rows.clamp(*module.support)


def corruption(part: object, module: CorruptionModule, features: int) -> None:
    """Try the module of a user's corruption on rows; a `ValueError` names what is wrong."""
    if not users_own(part):
        return
    trial = Trial("corruption", part)
    trial.refuse_gaps(module)
    trial.refuse_no_forward(module)
    with trial.of(module) as tried:
        tried.generator = Generator().manual_seed(0)
        given = f"forward(x) with x of the shape ({ROWS}, {features})"
        made = trial.called(given, lambda: tried(torch.zeros(ROWS, features)))
        if not isinstance(made, Corrupted):
            raise trial.wrong(given, "an isthmus.Corrupted", type(made).__name__)
        trial.refuse_shape(f"{given}, its x,", made.x, ROWS, features)
        for name, extra in (("mask", made.mask), ("cells", made.cells)):
            if extra is not None:
                trial.refuse_shape(f"{given}, its {name},", extra, ROWS, features)


def backbone(part: object, slot: str, module: nn.Module, inputs: int, outputs: int) -> None:
    """Try a module that a user's encoder or decoder built; a `ValueError` names what is wrong."""
    if not users_own(part):
        return
    trial = Trial(slot, part)
    trial.refuse_others(module)
    with trial.of(module) as tried:
        given = f"the module, given rows of the shape ({ROWS}, {inputs}),"
        trial.shape(given, lambda: tried(torch.zeros(ROWS, inputs)), ROWS, outputs)


def demand(part: object, slot: str, module: PenaltyModule, network: Network, features: int) -> None:
    """Try the module of a user's penalty or objective in its network; a `ValueError` names what is wrong."""
    if not users_own(part):
        return
    trial = Trial(slot, part)
    trial.refuse_no_forward(module)
    with trial.of(nn.ModuleList([module, network])) as pair:
        copy, within = pair
        assert isinstance(within, Network)
        # Weights are not written yet, and what stands in their memory may be anything.
        for parameter in within.parameters():
            parameter.zero_()
        within.seed(Generator().manual_seed(0))
        step = within(legal_rows(network.likelihood, features))
        given = "forward(step, network)"
        with torch.enable_grad():
            made = trial.called(given, lambda: copy(step, within))
        if slot == "objective" and not isinstance(made, Mapping):
            raise trial.wrong(given, "a mapping from names to tensors", type(made).__name__)
        for name, values in made.items() if isinstance(made, Mapping) else [("", made)]:
            trial.refuse_shape(f"{given}, its term {name!r},".replace(", its term '',", ""), values, ROWS)


class Trial:
    """The words for what is wrong with a part.

    Parameters
    ----------
    slot : str
        The slot that the part fills.
    part
        The part, whose class is named.
    """

    def __init__(self, slot: str, part: object) -> None:
        self.slot = slot
        self.name = f"the {slot} {type(part).__name__}"

    @contextmanager
    def of(self, module: Module) -> Iterator[Module]:
        """Yield a copy of a module in evaluation mode; nothing that it draws or changes has consequences."""
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            yield deepcopy(module).eval()

    def refuse_gaps(self, module: nn.Module) -> None:
        """Raise a `ValueError` if a module lacks anything that its contract declares."""
        self.refuse_others(module)
        contract = CONTRACTS[self.slot]
        missing = sorted(public_names(contract) - set(dir(module)))
        if missing:
            raise ValueError(
                f"{self.name} lacks {', '.join(f'`{name}`' for name in missing)}: define it in "
                f"{type(module).__name__}, or let that inherit from isthmus.{contract.__name__}, which has defaults"
            )

    def refuse_no_forward(self, module: nn.Module) -> None:
        """Raise a `ValueError` if a module that is called has no `forward` of its own."""
        if type(module).forward is nn.Module.forward:
            raise ValueError(f"{self.name} lacks `{FORWARD[self.slot]}`: define it in {type(module).__name__}")

    def refuse_others(self, module: object) -> None:
        """Raise a `ValueError` if what a part built is no torch module."""
        if not isinstance(module, nn.Module):
            raise ValueError(f"{self.name} must build a torch.nn.Module; it built {type(module).__name__}")

    def called(self, what: str, function: Callable[[], object]) -> object:
        """Return the result of a method; a `ValueError` says that it fails and why."""
        try:
            return function()
        except NotImplementedError as error:
            raise ValueError(str(error) or f"{self.name} lacks {what}") from error
        except Exception as error:
            raise ValueError(f"{self.name} fails in {what}: {type(error).__name__}: {error}") from error

    def shape(self, what: str, function: Callable[[], object], *shape: int) -> None:
        """Raise a `ValueError` if a method fails, or returns anything but a tensor of this shape."""
        self.refuse_shape(what, self.called(what, function), *shape)

    def shape_if_defined(self, what: str, function: Callable[[], object], *shape: int) -> None:
        """Do the same for a method that a part may leave undefined."""
        try:
            made = function()
        except NotImplementedError:
            return
        except Exception as error:
            raise ValueError(f"{self.name} fails in {what}: {type(error).__name__}: {error}") from error
        self.refuse_shape(what, made, *shape)

    def refuse_shape(self, what: str, made: object, *shape: int) -> None:
        """Raise a `ValueError` if a result is not a tensor of this shape."""
        if not isinstance(made, Tensor):
            raise self.wrong(what, f"a tensor of the shape {shape}", type(made).__name__)
        if made.shape != shape:
            raise self.wrong(what, f"the shape {shape}", str(tuple(made.shape)))

    def refuse_wrong_derivative(self, module: LikelihoodModule, x: Tensor) -> None:
        """Raise a `ValueError` if a likelihood's derivative, perhaps an inherited one, is not that of its loss."""
        columns = x.t().contiguous()
        theta = torch.linspace(-0.5, 0.5, module.outputs * len(x)).view(module.outputs, len(x))
        found = []
        for method in (type(module).deviance_loss_and_gradient, LikelihoodModule.deviance_loss_and_gradient):
            losses, gradient = torch.zeros_like(columns), torch.zeros_like(theta)
            arrays = (of.numpy() for of in (columns, theta, torch.ones_like(columns), losses, gradient))
            try:
                method(module, *arrays)
            except NotImplementedError:
                return
            found.append(torch.cat([losses, gradient]))
        if not torch.allclose(found[0], found[1], rtol=1e-3, atol=1e-3):
            raise ValueError(
                f"{self.name}: deviance_loss_and_gradient must give what deviance_loss gives, and its derivative; it "
                f"gives other numbers. Define it in {type(module).__name__}, or let it be "
                "LikelihoodModule.deviance_loss_and_gradient, which takes the derivative by autograd"
            )

    def wrong(self, what: str, expected: str, came: str) -> ValueError:
        """Return the error for a wrong result: expected and actual."""
        return ValueError(f"{self.name}: {what} must return {expected}; it returned {came}")


def public_names(contract: type[nn.Module]) -> set[str]:
    """Return the attributes and methods that a contract declares."""
    declared = {name for kind in contract.__mro__ if issubclass(kind, nn.Module) for name in kind.__annotations__}
    names = {name for name in {*dir(contract), *declared} if not name.startswith("_")}
    return names - {*dir(nn.Module), *nn.Module.__annotations__}
