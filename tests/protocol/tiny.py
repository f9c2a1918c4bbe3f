"""A protocol small enough for tests, without Hydra."""

from __future__ import annotations

from typing import Any

from diffcomb.protocol.setup.settings import ProtocolConfig

OURS = {
    "name": "kkt",
    "layer": {"_target_": "diffcomb.layers.DecisionLayer", "rho": "auto", "num_workers": 1},
    "loss": {"_target_": "diffcomb.losses.RegretLoss"},
}
SPO_PLUS = {
    "name": "spo_plus",
    "layer": {"_target_": "diffcomb.relaxations.ExactDecision"},
    "loss": {"_target_": "diffcomb.losses.SPOPlusLoss"},
}


def tiny_protocol(problem: str = "assignment", size: int = 4, **changes: Any) -> ProtocolConfig:
    settings = ProtocolConfig(
        problem=problem,
        scale="tiny",
        sizes={"tiny": [size]},
        trials={"gap": 2, "gradient": 2, "overhead": 1, "end_to_end": 1, "rho_sweep": 2, "ablation": 1},
        methods={"kkt": OURS, "spo_plus": SPO_PLUS},
        ratios=[0.5, 0.999, 1.001, 3.0],
        workers=1,
    )
    settings.gradient.directions, settings.gradient.samples, settings.gradient.repeats = 4, 40, 2
    settings.overhead.batch = settings.overhead.repeats = 2
    settings.end_to_end.train = settings.end_to_end.test = 10
    settings.end_to_end.epochs = 2
    for name, value in changes.items():
        setattr(settings, name, value)
    return settings
