"""The paper "AutoEncoders" (Dieye, Negho and Djaha, AMMI 2023), run again: its networks, figures and claims."""

from isthmus.paper.experiment import reproduce

__all__ = ["reproduce"]
