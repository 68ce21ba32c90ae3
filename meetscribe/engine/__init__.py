"""Who runs the network for the streams that are open: in this process, or in a worker process of its own.

`batches.py` stacks equal steps (torch); `in_process.py` and `worker.py` are what a session is given. Importing this
package, `in_process` or `worker` does not import torch.
"""

from meetscribe.errors import EngineLost

__all__ = ["EngineLost"]
