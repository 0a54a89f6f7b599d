"""`Snapshot`: a copy of a network's weights."""

from isthmus.core.trainable import Trainable


class Snapshot:
    """A copy of the weights of one epoch, in memory that is reused.

    Parameters
    ----------
    network
        The network whose weights are copied at once, as those of epoch 0.
    """

    def __init__(self, network: Trainable) -> None:
        self.epoch = 0
        self.state = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    def keep(self, network: Trainable, epoch: int) -> None:
        """Copy the current weights, as those of `epoch`."""
        self.epoch = epoch
        for name, tensor in network.state_dict().items():
            self.state[name].copy_(tensor)

    def restore(self, network: Trainable) -> None:
        """Write the copied weights back into the network."""
        network.load_state_dict(self.state)
