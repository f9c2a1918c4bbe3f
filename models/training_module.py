"""One LightningModule for all training: encoder -> theta -> loss, decisions by the layer."""

from __future__ import annotations

from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from diffcomb.layers import ShareController, as_rows
from diffcomb.metrics import cost_unit, normalized_regret
from models.batch_fields import batch_size, in_precision, instances, own_problems


class TrainingModule(pl.LightningModule):
    """Predict costs, decide, learn from the decision (or from the costs, with a two-stage loss).

    Args:
        encoder: batch -> theta (batch, n), or a list of (n_i,) when graphs bring their own problems.
        layer: theta -> decision; its exact decision is what validation and test judge.
        loss: called as loss(theta, *fields of the batch named in `loss.needs`).
        learning_rate, weight_decay: of AdamW.
    """

    def __init__(
        self,
        encoder: nn.Module,
        layer: nn.Module,
        loss: nn.Module,
        learning_rate: float = 1e-2,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder, self.layer, self.loss = encoder, layer, loss
        self.supervision: tuple[str, ...] = loss.needs  # type: ignore[assignment]
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self._judged: dict[str, list[tuple[Tensor, ...]]] = {"val": [], "test": []}

    def forward(self, batch: Any) -> Tensor | list[Tensor]:
        theta: Tensor | list[Tensor] = self.encoder(batch)
        return theta

    def training_step(self, batch: Any, batch_index: int) -> Tensor:
        batch = self.prepared(batch)
        loss = self.loss_of(self(batch), batch)
        size = batch_size(batch)
        # over all processes
        self.log(
            "train/loss", loss, on_step=False, on_epoch=True, batch_size=size, prog_bar=True, sync_dist=True
        )
        for name, value in self._layer_statistics().items():
            self.log(f"layer/{name}", value, on_step=False, on_epoch=True, batch_size=size)
        return loss

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        # the one place where all processes have called their layers equally often
        for part in self.modules():
            if isinstance(part, ShareController):
                part.agree()

    def prepared(self, batch: Any) -> Any:
        """The batch with features and costs in the precision of the encoder's weights."""
        dtype = next((p.dtype for p in self.encoder.parameters()), torch.float32)
        return in_precision(batch, dtype)

    def loss_of(self, theta: Tensor | list[Tensor], batch: Any) -> Tensor:
        """The loss of predicted costs, with the supervision of the batch they were predicted for."""
        fields = [instances(batch, field) for field in self.supervision]
        loss: Tensor = self.loss(theta, *fields, *own_problems(batch))
        return loss

    def _layer_statistics(self) -> dict[str, float]:
        """Share of informative gradients, rho and KKT residual of the last step, where there are any."""
        last = getattr(self.layer, "last", None)
        if getattr(last, "kkt_residual", None) is None:
            return {}
        assert last is not None
        return {
            "share": last.share,
            "rho": float(last.rho.mean()),
            "kkt_residual": float(last.kkt_residual.max()),
        }

    def validation_step(self, batch: Any, batch_index: int) -> None:
        self._judged["val"] += self.judge(self.prepared(batch))

    def test_step(self, batch: Any, batch_index: int) -> None:
        self._judged["test"] += self.judge(self.prepared(batch))

    def judge(self, batch: Any) -> list[tuple[Tensor, ...]]:
        """What decisions and optima cost, and the size of the costs: (batch,) each; a tuple a problem."""
        with torch.no_grad():
            decisions = self.layer(self(batch), *own_problems(batch))
        costs, optimal = instances(batch, "costs"), instances(batch, "decisions")
        own = own_problems(batch)
        members = own[0] if own else [self.layer.problem]
        rows = zip(members, *map(as_rows, (costs, decisions, optimal)), strict=True)
        return [
            tuple(
                part.reshape(-1)
                for part in (problem.realized_cost(z, c), problem.realized_cost(best, c), cost_unit(c))
            )
            for problem, c, z, best in rows
        ]

    def on_validation_epoch_end(self) -> None:
        self._log_regret("val")

    def on_test_epoch_end(self) -> None:
        self._log_regret("test")

    def _log_regret(self, split: str) -> None:
        cost, optimum, unit = (torch.cat(parts) for parts in zip(*self._judged[split], strict=True))
        self._judged[split].clear()
        self.log(f"{split}/regret", normalized_regret(cost, optimum, unit), prog_bar=split == "val")

    def configure_optimizers(self) -> Any:
        return torch.optim.AdamW(
            self.encoder.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
