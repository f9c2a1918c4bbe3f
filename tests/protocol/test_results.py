"""The table of a multirun has every job's row, and says by which swept key rows differ."""

import pandas as pd
import yaml

from diffcomb.protocol.results import collected, format_results

OWN = {
    "problem": "ShortestPath",
    "seed": 0,
    "method": "decision_focused",
    "loss": "RegretLoss",
    "rho": "auto",
}


def _job(folder, number, overrides, *rows):
    job = folder / str(number)
    job.mkdir()
    pd.DataFrame(rows).to_csv(job / "results.csv", index=False)
    (job / "overrides.yaml").write_text(yaml.safe_dump(overrides))
    return job


def test_rows_that_differ_in_any_swept_key_are_kept(tmp_path):
    """Two learning rates that end with the same regret are two rows, with a column that tells them apart."""
    jobs = [
        _job(tmp_path, k, ["seed=0", f"learning_rate={rate}"], {**OWN, "test_regret": 0.3})
        for k, rate in enumerate(("0.3", "1e-4"))
    ]
    table = collected(jobs)
    assert table["learning_rate"].tolist() == ["0.3", "1e-4"]
    assert table["test_regret"].tolist() == [0.3, 0.3]


def test_rows_without_a_known_command_line_are_kept(tmp_path):
    """Results of jobs whose overrides are not there: each job's own row stays."""
    jobs = [_job(tmp_path, k, [], {**OWN, "test_regret": regret}) for k, regret in enumerate((0.3, 0.7, 0.3))]
    assert collected(jobs)["test_regret"].tolist() == [0.3, 0.7, 0.3]


def test_what_many_jobs_say_of_a_control_is_said_once(tmp_path):
    """The same control in three jobs is one row; one that the swept key changed is another."""
    jobs = []
    for k, (noise, regret) in enumerate((("0", 0.5), ("1", 0.5), ("2", 0.6))):
        control = {
            **OWN,
            "method": "two_stage",
            "loss": "CostMSELoss",
            "test_regret": regret,
            "train_seconds": k,
        }
        own = {**OWN, "test_regret": 0.1 * k, "train_seconds": k}
        jobs.append(_job(tmp_path, k, [f"datamodule.noise={noise}"], control, own))
    table = collected(jobs)
    controls = table[table["method"] == "two_stage"]
    assert controls["test_regret"].tolist() == [0.5, 0.6]
    assert controls["datamodule.noise"].isna().tolist() == [True, False]
    assert table[table["method"] == "decision_focused"]["datamodule.noise"].tolist() == ["0", "1", "2"]


def test_a_swept_key_that_a_column_tells_is_not_repeated(tmp_path):
    """loss=regret,fenchel_young is in the column of losses already, and relaxation in that of methods."""
    jobs = [
        _job(tmp_path, k, [f"loss={name}", "rho=0.5"], {**OWN, "loss": cls, "test_regret": 0.1})
        for k, (name, cls) in enumerate((("regret", "RegretLoss"), ("fenchel_young", "FenchelYoungLoss")))
    ]
    assert "loss=regret" not in collected(jobs).columns
    assert list(collected(jobs).columns) == [*OWN, "test_regret"]


def test_seeds_are_averaged_within_each_setting(tmp_path):
    """Two settings over two seeds: two lines of mean ± std, not one of four runs."""
    jobs = []
    for k, (size, seed) in enumerate((size, seed) for size in ("5", "9") for seed in (0, 1)):
        row = {**OWN, "seed": seed, "test_regret": float(size) + seed}
        jobs.append(_job(tmp_path, k, [f"problem.rows={size}", f"seed={seed}"], row))
    text = format_results(collected(jobs))
    assert "5.5000 ± 0.7071" in text
    assert "9.5000 ± 0.7071" in text
