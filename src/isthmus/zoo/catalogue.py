"""The presets as data: what `describe` prints, and what a program wants to know of each."""

from inspect import Parameter, cleandoc, signature
from typing import NamedTuple

from isthmus.core.choices import refuse_unknown
from isthmus.zoo.family import made_of
from isthmus.zoo.preset import FAMILIES


class Entry(NamedTuple):
    """A preset, and what is known of it without building anything."""

    name: str
    family: str
    summary: str
    """The first sentence of its docstring: its objective."""
    parameters: dict[str, object]
    """Its own parameters with their defaults; it takes those of `AutoEncoder`, too."""
    docstring: str
    """Formula, shapes, source, when to take it and when not, parameters, and an example."""
    parts: str
    """The parts that differ from the defaults of `AutoEncoder`, in words."""

    @property
    def call(self) -> str:
        """How it is called: the name, and its own parameters with their defaults."""
        return f"{self.name}({', '.join(f'{name}={value!r}' for name, value in self.parameters.items())})"


def catalogue() -> list[Entry]:
    """Return all presets, also those of other packages that are imported, family by family.

    Examples
    --------
    >>> [entry.name for entry in catalogue() if entry.family == "variational"]
    ['variational', 'beta_tcvae', 'importance_weighted']
    """
    return [entry_of(preset.__name__) for presets in FAMILIES.values() for preset in presets]


def entry_of(name: str) -> Entry:
    """Return what is known of a preset.

    Parameters
    ----------
    name : str
        As in `isthmus.zoo`; "k-sparse" is read as "k_sparse".

    Raises
    ------
    ValueError
        If there is none of that name; the message says which there are.

    Examples
    --------
    >>> entry_of("variational").call
    'variational(latent=0.9, beta=1.0, warm_up=0.0)'
    """
    known = {preset.__name__: (family, preset) for family, presets in FAMILIES.items() for preset in presets}
    plain = name.replace("-", "_")
    if plain not in known:
        refuse_unknown("preset", name, known)
    family, preset = known[plain]
    text = cleandoc(preset.__doc__ or "")
    summary = " ".join(text.partition("\n\n")[0].split())
    own = [one for one in signature(preset).parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
    return Entry(plain, family, summary, {one.name: one.default for one in own}, text, made_of(preset()))
