"""The data that these tests ask for by name."""

from data_fixtures import (  # noqa: F401
    cifar10_folder,
    hundred_classes,
    real_data,
    toy_data,
)
