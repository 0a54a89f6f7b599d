"""Measures of codes and samples by classifiers: a linear probe, fine-tuning, and the Fréchet distance."""

from typing import Any

import numpy as np
import torch
from scipy.linalg import sqrtm
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Generator, Tensor, nn
from torch.nn import functional

FEATURES = 64
"""Units of the classifier's last hidden layer."""


def linear_probe(train: np.ndarray, test: np.ndarray, labels: np.ndarray, test_labels: np.ndarray) -> float:
    """Return the accuracy in % of a multinomial logistic regression on standardised codes."""
    scaler = StandardScaler().fit(train)
    classifier = LogisticRegression(max_iter=100, C=0.01).fit(scaler.transform(train), labels)
    return 100 * float(classifier.score(scaler.transform(test), test_labels))


def trained(module: nn.Module, X: Tensor, y: Tensor, epochs: int, rate: float) -> nn.Module:
    """Train a classifier of rows X (n, F) by cross-entropy and return it."""
    generator = Generator().manual_seed(0)
    optimiser = torch.optim.Adam(module.parameters(), rate, fused=True)
    steps = epochs * (-(-len(X) // 128))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(epochs):
        for rows in torch.randperm(len(X), generator=generator).split(128):
            optimiser.zero_grad()
            functional.cross_entropy(module.train()(X[rows]), y[rows]).backward()
            optimiser.step()
            schedule.step()
    return module.eval()


@torch.no_grad()
def accuracy(module: nn.Module, X: Tensor, y: Tensor) -> float:
    """Return the share of correct answers in %."""
    answers = torch.cat([module(rows).argmax(1) for rows in X.split(1000)])
    return 100 * float((answers == y).float().mean())


class CodeClassifier(nn.Module):
    """The encoder and code of an autoencoder, followed by a linear layer; all of it is trained."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.linear = nn.Linear(network.code.latent, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Map rows (B, F) to class scores (B, 10)."""
        scores: Tensor = self.linear(self.network.encode(x).mean)
        return scores


def fine_tuned(model: Any, data: Any, epochs: int = 20) -> float:
    """Return the accuracy in % after training the encoder further with the labels (Rifai et al. 2011)."""
    torch.manual_seed(0)
    X, X_test = grey(data.X), grey(data.X_test)
    y, y_test = torch.from_numpy(data.y).long(), torch.from_numpy(data.y_test).long()
    classifier = CodeClassifier(model.network_).requires_grad_(True)
    return accuracy(trained(classifier, X, y, epochs, 1e-3), X_test, y_test)


def grey(X: np.ndarray) -> Tensor:
    """Return grey levels from 0 to 1."""
    return torch.from_numpy((X / 255).astype(np.float32))


class SmallClassifier:
    """Two convolutions and two dense layers, trained here on the training images; the last hidden layer gives features.

    The Fréchet distance on these features, ‖μ₁ - μ₂‖² + tr(C₁ + C₂ - 2(C₁C₂)^½), can be compared only with itself. It
    is not the FID, whose features come from another network trained on other images.
    """

    def __init__(self, data: Any, epochs: int) -> None:
        torch.manual_seed(0)
        body = [nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU(), nn.Conv2d(16, 32, 5, stride=2, padding=2)]
        flat = [nn.ReLU(), nn.Flatten(), nn.Linear(32 * 7 * 7, FEATURES), nn.ReLU()]
        self.features = nn.Sequential(nn.Unflatten(1, (1, 28, 28)), *body, *flat)
        module = nn.Sequential(self.features, nn.Linear(FEATURES, 10))
        trained(module, grey(data.X), torch.from_numpy(data.y).long(), epochs, 2e-3)
        self.accuracy = accuracy(module, grey(data.X_test), torch.from_numpy(data.y_test).long())
        self.reference = self.moments(data.X_test)
        self.of_training_images = self.distance(data.X[: len(data.X_test)])

    @torch.no_grad()
    def moments(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the mean and covariance of the features of images (n, 784) with values from 0 to 255."""
        found = torch.cat([self.features(rows) for rows in grey(images.clip(0, 255)).split(1000)]).double().numpy()
        return found.mean(0), np.cov(found.T)

    def distance(self, images: np.ndarray) -> float:
        """Return the Fréchet distance from the test images."""
        (mean, covariance), (other_mean, other) = self.moments(images), self.reference
        root = sqrtm(covariance @ other).real
        return float(np.square(mean - other_mean).sum() + np.trace(covariance + other - 2 * root))
