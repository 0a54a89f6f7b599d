"""A `StreamState` as facts and tensors of a model file, and back; the optimiser's memory with it."""

from typing import Any

import torch
from torch import Tensor

from isthmus.core.json_type import Json
from isthmus.data.scaling import AffineScaling, Scaling
from isthmus.data.stream_components import StreamComponents
from isthmus.data.stream_moments import ColumnMoments, StreamMoments
from isthmus.estimators.following import standard
from isthmus.estimators.plain import plain, revived
from isthmus.estimators.state import State, nest, prefixed
from isthmus.estimators.stream_state import OptimiserMemory, StreamState


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


def stream_of(state: State, streamed: bool) -> StreamState:
    """Undo `state_of_stream`; `streamed` says whether the model has been trained chunk by chunk."""
    facts: Any = state.facts
    tensors = {name: prefixed(state.tensors, name) for name in ("moments", "components", "optimiser")}
    return StreamState(
        StreamMoments.from_state(tensors["moments"]),
        bool(facts["follows"]),
        StreamComponents.from_state(tensors["components"]) if "components" in facts else None,
        memory=memory_of(State(facts["optimiser"], tensors["optimiser"])) if "optimiser" in facts else None,
        pace=float(facts["pace"]),
        settled=int(facts["settled"]),
        lost=streamed and not facts["resumes"],
    )


def stream_of_schema_2(tensors: dict[str, Tensor], scaling: Scaling, streamed: bool) -> StreamState:
    """Return the stream of a file that knows the moments of the columns alone."""
    features = len(tensors["mean"])
    rows = float(tensors["total"])
    weights = torch.full((features,), rows, dtype=torch.float64)
    moments = ColumnMoments(weights, tensors["mean"], tensors["squares"])
    follows = isinstance(scaling, AffineScaling) and is_standard(scaling, moments)
    return StreamState(StreamMoments.of(moments, rows, tensors["smallest"], tensors["largest"]), follows, lost=streamed)


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
    for key, tensor in state.tensors.items():
        number, _, name = key.partition(".")
        states[int(number)][name] = tensor
    return OptimiserMemory(list(revived(state.facts["groups"], {})), states)
