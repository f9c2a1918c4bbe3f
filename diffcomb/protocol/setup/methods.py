"""A method of the comparison as it is trained and as it is used."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import Any

import torch
from omegaconf import OmegaConf
from torch import Tensor, nn

from diffcomb.errors import UnsupportedError
from diffcomb.layers import DecisionLayer
from diffcomb.losses import (
    CostMSELoss,
    ImitationLoss,
    LogCostMSELoss,
    OptimalValueLoss,
    PlannedStartLoss,
    RegretLoss,
    StagedLoss,
)
from diffcomb.oracles import Limits
from diffcomb.problems import JobShop, Problem
from diffcomb.protocol.commands.building import build, oracle_settings
from diffcomb.protocol.setup.settings import ProtocolConfig
from diffcomb.protocol.setup.trials import family_problem, trial_of

#: losses that make sense of start times; the cost c'z of others is no cost of a schedule
_SCHEDULE_LOSSES = (
    PlannedStartLoss,
    ImitationLoss,
    OptimalValueLoss,
    CostMSELoss,
    LogCostMSELoss,
    StagedLoss,
)


class Method:
    """One node of the relaxation group, built for a problem.

    Attributes:
        deployed: theta -> the decision it is judged by.
        trained: the layer inside `loss`. A DecisionLayer is trained with decision="relaxed": the same
            gradient of a cost linear in the decision, without exact solves.
        loss: loss(theta, *fields named in needs), in units of costs.
    """

    def __init__(self, node: dict[str, Any], problem: Problem, oracle: Limits) -> None:
        if node.get("layer") is None:
            raise UnsupportedError(f"{node['name']} brings a model of its own, with no layer to measure.")
        self.problem = problem
        key = node["name"]
        self.deployed: nn.Module = build(node["layer"], problem, key=f"{key}.layer", oracle=oracle).eval()
        relaxed = dict(node["layer"])
        if isinstance(self.deployed, DecisionLayer) and problem.is_binary:
            relaxed["decision"] = "relaxed"
        self.trained: nn.Module = build(relaxed, problem, key=f"{key}.layer", oracle=oracle).train()
        self.loss: nn.Module = build(node["loss"], self.trained, key=f"{key}.loss").train()
        if not isinstance(self.loss, RegretLoss):  # its gradient of start times can be measured all the same
            refuse_meaningless_loss(problem, self.loss)
        self._start = copy.deepcopy(self.loss.state_dict())

    def reset(self) -> None:
        """Noise, pools, adaptive steps and learned parts as they were when built."""
        self.loss.load_state_dict(copy.deepcopy(self._start))
        self.loss.train()

    def require_meaningful_cost(self) -> None:
        """Refuse to train on c'z where the decision is a vector of start times."""
        refuse_meaningless_loss(self.problem, self.loss)

    def loss_value(self, theta: Tensor, costs: Tensor, decisions: Tensor) -> Tensor:
        """theta, costs, decisions (batch, n) -> scalar mean."""
        fields = {"costs": costs, "decisions": decisions}
        value: Tensor = self.loss(theta, *(fields[name] for name in self.loss.needs))  # type: ignore[union-attr]
        return value

    def gradient(self, theta: Tensor, costs: Tensor, decisions: Tensor) -> Tensor:
        """d loss / d theta (batch, n), of the sum over the batch."""
        leaf = theta.detach().clone().requires_grad_()
        value = self.loss_value(leaf, costs, decisions) * len(theta)
        (gradient,) = torch.autograd.grad(value, leaf, allow_unused=True)
        return torch.zeros_like(leaf) if gradient is None else gradient


def refuse_meaningless_loss(problem: Problem, loss: nn.Module) -> None:
    """Raise UnsupportedError for losses that make no sense of the problem's decisions."""
    if not isinstance(problem, JobShop):
        return
    if isinstance(loss, RegretLoss):
        raise UnsupportedError("Start times times costs are no cost of a schedule; PlannedStartLoss is.")
    if not isinstance(loss, _SCHEDULE_LOSSES):
        raise UnsupportedError(f"{type(loss).__name__} has no meaning for start times.")


def method_of(name: str, settings: ProtocolConfig, size: str, trial: int) -> Method:
    """The method for the problem of an instance, reset; kept between trials that share the problem."""
    if size.isdigit():
        problem = family_problem(settings.problem, int(size), trial, settings.seed)
    else:
        problem = trial_of(settings.problem, size, trial, settings.seed, settings.data_folder).problem
    text = OmegaConf.to_yaml(OmegaConf.create(settings.methods[name]))
    method = _kept(text, problem, oracle_settings(settings.oracle))
    method.reset()
    return method


@lru_cache(maxsize=128)
def _kept(node: str, problem: Problem, oracle: Limits) -> Method:
    """By the node's YAML, which can be looked up."""
    parsed = OmegaConf.to_container(OmegaConf.create(node))
    assert isinstance(parsed, dict)
    return Method({str(key): value for key, value in parsed.items()}, problem, oracle)
