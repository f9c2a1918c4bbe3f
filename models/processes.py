"""Training in several processes: one of them writes, all of them judge everything."""

from __future__ import annotations

import os
from typing import Any

import pytorch_lightning as pl
from torch import distributed
from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler


def is_child() -> bool:
    """This process was started by another to train with it; that one checks paths, writes and prints."""
    return any(os.environ.get(name, "0") != "0" for name in ("LOCAL_RANK", "NODE_RANK"))


def wait_for_all() -> None:
    """Until every process is here; at once where there is only this one."""
    if distributed.is_available() and distributed.is_initialized():
        distributed.barrier()


def judged_whole(loader: Any) -> Any:
    """The loader with a sampler that leaves the whole set to each process.

    Split over processes, a set is filled up with repeated instances and each process knows the regret of
    its part alone; judged in full, the number is that of one process, whatever a batch holds.
    """
    if not isinstance(loader, DataLoader):
        return loader
    every: DistributedSampler[Any] = DistributedSampler(loader.dataset, num_replicas=1, rank=0, shuffle=False)
    return DataLoader(
        loader.dataset,
        loader.batch_size,
        sampler=every,
        collate_fn=loader.collate_fn,
        num_workers=loader.num_workers,
    )


def sets_for(trainer: pl.Trainer, data: Any, *splits: str) -> dict[str, Any]:
    """Arguments of fit, validate or test: the data module, or, for several processes, loaders of `splits`."""
    if trainer.world_size == 1:
        return {"datamodule": data}
    loaders = {split: getattr(data, f"{split}_dataloader")() for split in splits}
    if "train" not in splits:
        return {"dataloaders": judged_whole(loaders[splits[0]])}
    return {"train_dataloaders": loaders["train"], "val_dataloaders": judged_whole(loaders["val"])}
