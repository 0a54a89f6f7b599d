import copy

import torch
from torch import Generator

from isthmus import Dense
from isthmus.core.initialisation import initialise
from isthmus.engine.snapshot import Snapshot
from isthmus.parts.composition import compose


def test_snapshot_is_a_copy():
    network = compose(3, 2, encoder=Dense((5,))).double()
    initialise(network, "orthogonal", Generator().manual_seed(0))
    snapshot = Snapshot(network)
    before = copy.deepcopy(network.state_dict())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 1
    snapshot.restore(network)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 2
    snapshot.keep(network, 4)
    assert snapshot.epoch == 4
    after = copy.deepcopy(network.state_dict())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    snapshot.restore(network)
    for name, value in network.state_dict().items():
        assert torch.equal(value, after[name])
