"""Distances of pictures: nothing for equal ones, more for worse ones, and gradients that are finite everywhere."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.ldm.training.classifier import Classifier, ClassifierConfig
from engine.ldm.training.distances import FeatureDistance, PyramidDistance, WeightedDistances


def feature_distance() -> FeatureDistance:
    torch.manual_seed(0)
    return FeatureDistance(Classifier(ClassifierConfig(("a", "b"), (4, 8), 16)))


@pytest.mark.parametrize("distance", [feature_distance(), PyramidDistance()], ids=["features", "pyramid"])
def test_equal_pictures_are_no_distance_apart_and_noise_widens_it(distance: nn.Module):
    x = torch.rand(2, 3, 16, 16) * 2 - 1
    noise = torch.randn(x.shape)
    assert distance(x, x).abs().max() == 0
    little, much = distance(x, x + 0.05 * noise), distance(x, x + 0.5 * noise)
    assert little.shape == (2, 1, 1, 1)
    assert (little > 0).all() and (little < much).all()


def test_the_pyramid_sees_an_offset_as_colour_only():
    x = torch.rand(1, 3, 16, 16)
    # A constant offset has no detail to compare, only what is left: its colour.
    assert float(PyramidDistance()(x + 0.5, x)) == pytest.approx(0.5, abs=1e-6)
    assert PyramidDistance()(x.flip(-1), x) > 0.1


def test_features_are_compared_by_direction_alone():
    classifier = Classifier(ClassifierConfig(("a", "b"), (4,), 16)).eval()
    x, y = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    a, b = classifier.features(x)[0], classifier.features(y)[0]
    cosine = nn.functional.cosine_similarity(a, b, dim=1)
    both = (a.norm(dim=1) > 0).float() + (b.norm(dim=1) > 0).float()
    expected = (both - 2 * cosine).mean()  # |u - v|^2 = |u|^2 + |v|^2 - 2 u.v of unit or empty vectors
    torch.testing.assert_close(FeatureDistance(classifier)(x, y).flatten()[0], expected, rtol=1e-3, atol=1e-4)


def test_a_cell_without_features_has_a_finite_gradient():
    distance = feature_distance()
    for parameter in distance.parameters():
        parameter.data.fill_(-1.0)  # every activation is below 0, so all features are
    y = torch.zeros(1, 3, 16, 16, requires_grad=True)
    distance(torch.ones(1, 3, 16, 16), y).sum().backward()
    assert y.grad is not None and torch.isfinite(y.grad).all()


def test_weights_add_distances_up_and_training_mode_does_not_reach_the_classifier():
    features, pyramid = feature_distance(), PyramidDistance()
    both = WeightedDistances([(2.0, features), (0.5, pyramid)]).train()
    x, y = torch.rand(1, 3, 16, 16), torch.rand(1, 3, 16, 16)
    torch.testing.assert_close(both(x, y), 2 * features(x, y) + 0.5 * pyramid(x, y))
    assert not features.classifier.training
    assert not any(parameter.requires_grad for parameter in both.parameters())
