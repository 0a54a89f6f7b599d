"""The public names of isthmus, one per line; `__init__.py` reads this file, and type checkers do."""

from isthmus import zoo as zoo
from isthmus.core.contract import Backbone as Backbone
from isthmus.core.contract import Code as Code
from isthmus.core.contract import CodeModule as CodeModule
from isthmus.core.contract import Corrupted as Corrupted
from isthmus.core.contract import CorruptionModule as CorruptionModule
from isthmus.core.contract import Part as Part
from isthmus.core.contract import Step as Step
from isthmus.core.likelihood import LikelihoodModule as LikelihoodModule
from isthmus.core.network import ObjectiveModule as ObjectiveModule
from isthmus.core.network import PenaltyModule as PenaltyModule
from isthmus.core.registry import register as register
from isthmus.data import load_dataset as load_dataset
from isthmus.engine import Adam as Adam
from isthmus.engine import Callback as Callback
from isthmus.engine import Compute as Compute
from isthmus.engine import History as History
from isthmus.engine import TrainingWarning as TrainingWarning
from isthmus.estimators import AutoEncoder as AutoEncoder
from isthmus.estimators import FittedModel as FittedModel
from isthmus.estimators import ModelFileError as ModelFileError
from isthmus.estimators import load as load
from isthmus.parts.adversarial import Adversarial as Adversarial
from isthmus.parts.backbones import Dense as Dense
from isthmus.parts.backbones import Linear as Linear
from isthmus.parts.backbones import Principal as Principal
from isthmus.parts.backbones import Tied as Tied
from isthmus.parts.bounded import ContinuousBernoulli as ContinuousBernoulli
from isthmus.parts.categories import Categorical as Categorical
from isthmus.parts.codes import Deterministic as Deterministic
from isthmus.parts.codes import GaussianCode as GaussianCode
from isthmus.parts.contraction import Contractive as Contractive
from isthmus.parts.convolution import Convolutional as Convolutional
from isthmus.parts.corruptions import GaussianNoise as GaussianNoise
from isthmus.parts.corruptions import Masking as Masking
from isthmus.parts.corruptions import SaltAndPepper as SaltAndPepper
from isthmus.parts.corruptions import Swap as Swap
from isthmus.parts.counts import Multinomial as Multinomial
from isthmus.parts.counts import NegativeBinomial as NegativeBinomial
from isthmus.parts.counts import Poisson as Poisson
from isthmus.parts.discrete_codes import FSQ as FSQ
from isthmus.parts.discrete_codes import VectorQuantizer as VectorQuantizer
from isthmus.parts.heavy_tails import Laplace as Laplace
from isthmus.parts.heavy_tails import StudentT as StudentT
from isthmus.parts.likelihoods import Bernoulli as Bernoulli
from isthmus.parts.likelihoods import Gaussian as Gaussian
from isthmus.parts.matching import MMD as MMD
from isthmus.parts.matching import TotalCorrelation as TotalCorrelation
from isthmus.parts.mixed import Mixed as Mixed
from isthmus.parts.objectives import ImportanceWeighted as ImportanceWeighted
from isthmus.parts.ordered_codes import OrderedCode as OrderedCode
from isthmus.parts.penalties import L1 as L1
from isthmus.parts.penalties import KLSparsity as KLSparsity
from isthmus.parts.penalties import WeightDecay as WeightDecay
from isthmus.parts.priors import KL as KL
from isthmus.parts.priors import MixturePrior as MixturePrior
from isthmus.parts.sparse_codes import BatchTopK as BatchTopK
from isthmus.parts.sparse_codes import LifetimeSparse as LifetimeSparse
from isthmus.parts.sparse_codes import TopK as TopK
from isthmus.tasks import AnomalyDetector as AnomalyDetector
from isthmus.tasks import Imputer as Imputer

__version__: str
HOMES: dict[str, list[str]]
__all__: list[str]
