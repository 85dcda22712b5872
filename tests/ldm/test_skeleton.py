import torch

from engine.ldm.skeleton import Skeleton
from engine.ldm.unet import UNetConfig, UNetModel

CONFIG = UNetConfig(3, 3, 32, (1, 2), 1, attention_resolutions=(2,), num_heads=4, context_dim=8)


def test_a_skeleton_has_the_networks_shapes_and_no_data():
    with Skeleton():
        skeleton = UNetModel(CONFIG)
    network = UNetModel(CONFIG)
    assert {k: v.shape for k, v in skeleton.state_dict().items()} == {
        k: v.shape for k, v in network.state_dict().items()
    }
    assert all(tensor.is_meta for tensor in skeleton.state_dict().values())


def test_outside_the_skeleton_tensors_have_data_again():
    with Skeleton():
        pass
    assert not torch.zeros(1).is_meta
    assert torch.nn.Linear(2, 2).weight.abs().sum() > 0
