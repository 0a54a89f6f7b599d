"""`isthmus denoise`: noisy rows to clean ones."""

from typing import TYPE_CHECKING

from isthmus.cli.ending import UsageError
from isthmus.cli.input import DataPath, Reading
from isthmus.cli.model_options import ModelPath
from isthmus.cli.output import Output
from isthmus.cli.telling import Telling

if TYPE_CHECKING:
    import pyarrow

    from isthmus import AutoEncoder


def denoise(model: ModelPath, data: DataPath, output: Output, reading: Reading, telling: Telling) -> None:
    """Write every row without its noise; the model must have been trained to remove noise.

    Example: isthmus train scans.npy --preset denoising -o m.isthmus; isthmus denoise m.isthmus new.npy -o clean.npy
    """
    from isthmus.cli.using import reconstructions, use_autoencoder

    def cleaned(autoencoder: "AutoEncoder", rows: object) -> "pyarrow.Table":
        if not removes_noise(autoencoder):
            raise UsageError(
                f"{model} was not trained to remove noise, so it would pass noise on; train one with "
                "isthmus train DATA --preset denoising"
            )
        return reconstructions(autoencoder, rows)

    use_autoencoder(model, data, output, reading, telling, cleaned, purpose="denoise")


def removes_noise(autoencoder: "AutoEncoder") -> bool:
    """Whether an autoencoder was trained on corrupted rows to return clean ones."""
    return autoencoder.network_.corruption is not None
