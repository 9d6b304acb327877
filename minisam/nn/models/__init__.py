"""Networks, each a `Model`: pure functions over a dict of parameters."""

from minisam.nn.layers import parameter_count
from minisam.nn.models.cnn import cnn
from minisam.nn.models.mixer import mixer
from minisam.nn.models.mlp import mlp
from minisam.nn.models.model import Model
from minisam.nn.models.resnet import resnet
from minisam.nn.models.vit import vit

__all__ = ["Model", "cnn", "mixer", "mlp", "parameter_count", "resnet", "vit"]
