"""Networks in plain NumPy: primitives, layers, losses, models and their gradients."""

from minisam.nn.gradients import training_objective, value_and_grad
from minisam.nn.kernels.memory import keep_memory
from minisam.nn.losses import accuracy, cross_entropy
from minisam.nn.models import Model, cnn, mixer, mlp, parameter_count, resnet, vit

__all__ = [
    "Model",
    "accuracy",
    "cnn",
    "cross_entropy",
    "keep_memory",
    "mixer",
    "mlp",
    "parameter_count",
    "resnet",
    "training_objective",
    "value_and_grad",
    "vit",
]
