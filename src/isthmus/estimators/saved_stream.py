"""A `StreamState` as facts and tensors of a model file, and back; the optimiser's memory with it."""

from typing import Any

import torch
from torch import Tensor

from isthmus.core.checked_tensors import FLOATS, checked
from isthmus.core.json_type import Json
from isthmus.core.typed_json import value_of
from isthmus.data.scaling import AffineScaling, Scaling
from isthmus.data.stream_components import StreamComponents
from isthmus.data.stream_moments import ColumnMoments, StreamMoments
from isthmus.estimators.following import standard
from isthmus.estimators.following_tables import STATISTICS
from isthmus.estimators.plain import plain, revived
from isthmus.estimators.state import State, nest, prefixed
from isthmus.estimators.stream_state import SLOWEST, OptimiserMemory, StreamState


def state_of_stream(stream: StreamState, resume: bool) -> State:
    """Return what a file keeps of a stream: all of it, or (`resume=False`) only the statistics of the columns.

    Raises
    ------
    TypeError
        If the optimiser remembers what cannot be saved.
    """
    facts: dict[str, Json] = {
        "follows": stream.follows,
        "pace": stream.pace,
        "settled": stream.settled,
        "resumes": resume and not stream.lost,
    }
    members = {"moments": State({}, stream.moments.state)}
    if resume and stream.components is not None:
        members["components"] = State({}, stream.components.state)
    memory = stream.remembered
    if resume and memory is not None:
        members["optimiser"] = state_of_memory(memory)
    return nest(members, facts)


def stream_of(state: State, streamed: bool, scaling: Scaling) -> StreamState:
    """Undo `state_of_stream`.

    Parameters
    ----------
    state
        As `state_of_stream` returned it.
    streamed
        Whether the model has been trained chunk by chunk.
    scaling
        Of the columns.
    """
    facts: Any = state.facts
    tensors = {name: prefixed(state.tensors, name) for name in ("moments", "components", "optimiser")}
    moments = StreamMoments.from_state(tensors["moments"])
    components = StreamComponents.from_state(tensors["components"]) if "components" in facts else None
    cells = scaling.cells
    followed = {cells} if isinstance(scaling, AffineScaling) else {0, STATISTICS * cells}
    if len(moments.smallest) not in followed or (components is not None and components.features != cells):
        raise ValueError(f"what it remembers of a stream is not of {cells} cells")
    return StreamState(
        moments,
        value_of(bool, facts["follows"], "follows"),
        components,
        memory=memory_of(State(facts["optimiser"], tensors["optimiser"])) if "optimiser" in facts else None,
        pace=min(max(value_of(float, facts["pace"], "pace"), SLOWEST), 1.0),
        settled=max(value_of(int, facts["settled"], "settled"), 0),
        lost=streamed and not value_of(bool, facts["resumes"], "resumes"),
    )


def stream_of_schema_2(tensors: dict[str, Tensor], scaling: Scaling, streamed: bool) -> StreamState:
    """Return the stream of a file that knows the moments of the columns alone."""
    features = len(checked(tensors, "mean", (None,)))
    rows = float(checked(tensors, "total", (), (torch.float64, torch.float32, torch.int64), least=0))
    weights = torch.full((features,), rows, dtype=torch.float64)
    moments = ColumnMoments(weights, tensors["mean"], checked(tensors, "squares", (features,), least=0))
    smallest, largest = (checked(tensors, name, (features,), FLOATS, finite=False) for name in ("smallest", "largest"))
    follows = isinstance(scaling, AffineScaling) and is_standard(scaling, moments)
    return StreamState(StreamMoments.of(moments, rows, smallest, largest), follows, lost=streamed)


def is_standard(scaling: AffineScaling, moments: ColumnMoments) -> bool:
    """Whether a scaling is the standard one of columns with these moments."""
    shift, scale = standard(moments)
    pairs = (shift, scaling.shift), (scale, scaling.scale)
    return all(torch.allclose(one, other, rtol=1e-9, atol=0) for one, other in pairs)


def state_of_memory(memory: OptimiserMemory) -> State:
    """Return what an optimiser remembers: tensors by the number of their parameter, everything else as facts."""
    tensors = {f"{n}.{name}": v for n, own in memory.states.items() for name, v in own.items() if torch.is_tensor(v)}
    numbers = {n: {name: v for name, v in own.items() if not torch.is_tensor(v)} for n, own in memory.states.items()}
    try:
        return State({"groups": plain(memory.groups), "numbers": plain(numbers)}, tensors)
    except TypeError as error:
        raise TypeError(
            f"the optimiser's memory cannot be saved: {error}; save(path, resume=False) leaves it out"
        ) from error


def memory_of(state: State) -> OptimiserMemory:
    """Undo `state_of_memory`."""
    states = revived(state.facts["numbers"], {})
    if not isinstance(states, dict) or not all(type(n) is int and isinstance(own, dict) for n, own in states.items()):
        raise ValueError("the memory of the optimiser must be by the number of the parameter")
    for key, tensor in state.tensors.items():
        number, _, name = key.partition(".")
        states[int(number)][name] = tensor
    groups = revived(state.facts["groups"], {})
    if not isinstance(groups, tuple) or not all(isinstance(group, dict) for group in groups):
        raise ValueError("the settings of the optimiser must be by group of parameters")
    return OptimiserMemory(list(groups), states)
