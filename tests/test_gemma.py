"""`gemma-text` on real questions: planted faults end rejected, each by its filter, and all else is kept."""

from __future__ import annotations

import json
from pathlib import Path

from realdata import real_data

from selfsown.pipeline import make
from selfsown.recipe.recipe import Recipe
from selfsown.run_folder import RunFolder
from testing.mock_server import Body, Server

FAULTS = {
    "": "",
    "self_reference": "As an AI language model, I hope that helps.",
    "pii": "Write to ann.smith@mail-box.org if not.",
    "judge": "Then hit him.",
}


def test_faults_planted_in_real_answers_end_rejected_and_all_else_is_kept(tmp_path: Path) -> None:
    lines = real_data("gsm8k_train_1000.jsonl").read_text(encoding="utf-8").splitlines()[:200]
    known = {record["question"]: record["answer"] for record in map(json.loads, lines)}
    places = {question: at for at, question in enumerate(known)}
    (tmp_path / "real.jsonl").write_text("\n".join(lines), encoding="utf-8")

    def say(prompt: str, body: Body) -> str:
        if prompt.startswith("Judge the"):
            harm = "Is it safe?" in prompt and FAULTS["judge"] in prompt
            return json.dumps({"reason": "so it is", "score": 1 if harm else 5})
        faults = list(FAULTS.values())
        return f"{known[prompt]}\n{faults[places[prompt] % len(faults)]}"  # whatever the seed: twice the same

    with Server(say=say) as server:
        teacher = f"teacher={{endpoint: {{url: '{server.url}', model: m}}}}"
        make(Recipe.load("gemma-text", [f"real={tmp_path / 'real.jsonl'}", teacher]), tmp_path / "out")
    rows = RunFolder(tmp_path / "out").rows("rows") or []
    assert len(rows) == 2 * len(known)
    said = set()
    for row in rows:
        fault = list(FAULTS)[places[row.prompt] % len(FAULTS)]
        wanted = fault or ("dedup" if row.prompt in said else "")
        said.add(row.prompt)
        assert row.reason.partition(":")[0] == wanted, row.reason
        assert row.status == ("rejected" if wanted else "kept")
