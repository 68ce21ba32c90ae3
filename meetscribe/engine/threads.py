"""How many threads the arithmetic of the network and of the language models takes: one.

Steps are small, and two threads become many times slower as soon as anything else runs.
"""

import torch
from threadpoolctl import threadpool_limits


def use_one_thread() -> None:
    """Let torch, and the linear algebra behind numpy, work in one thread of this process."""
    torch.set_num_threads(1)
    threadpool_limits(1, user_api="blas")
