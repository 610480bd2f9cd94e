"""The neural material: configuration and the plain NumPy forward."""

from verdigris.model.auxiliary import HEADS as HEADS
from verdigris.model.auxiliary import Auxiliary as Auxiliary
from verdigris.model.config import FEATURE_WIDTHS as FEATURE_WIDTHS
from verdigris.model.config import DecoderConfig as DecoderConfig
from verdigris.model.config import ModelConfig as ModelConfig
from verdigris.model.config import SamplerConfig as SamplerConfig
from verdigris.model.far import Far as Far
from verdigris.model.neural import Metadata as Metadata
from verdigris.model.neural import NeuralMaterial as NeuralMaterial
