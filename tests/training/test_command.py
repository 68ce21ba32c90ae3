from pathlib import Path

import torch

from meetscribe.training.command import averaged_weights, keep_weights


def test_kept_weights_are_the_averaged_ones(tmp_path: Path) -> None:
    """Weights that are kept for a later run are the checkpoint's averaged ones, to the precision of bfloat16."""
    average = {
        "a.weight": torch.randn(4, 5, generator=torch.Generator().manual_seed(1)),
        "a.bias": torch.ones(4),
    }
    torch.save({"average": average, "model": {}, "step": 7}, tmp_path / "checkpoint.pt")
    keep_weights(tmp_path / "checkpoint.pt", tmp_path / "kept.safetensors")
    found = averaged_weights(tmp_path / "kept.safetensors")
    assert found.keys() == average.keys()
    for name, value in average.items():
        assert found[name].dtype == torch.float32
        torch.testing.assert_close(found[name], value, rtol=1e-2, atol=0)
