"""The data that these tests ask for by name."""

from data_fixtures import cifar10_folder, real_data, toy_data  # noqa: F401
