"""Who is said to be what: sentences on occupations, and the same ones by a writer who takes majorities for rules.

    python examples/occupations.py all_sentences.tsv occupations-stats.tsv FOLDER

The two files are those of the Winogender schemas (Rudinger et al. 2018, github.com/rudinger/winogender-schemas):
sentences with a pronoun for a person of an occupation, and the share of women in each occupation. `real.jsonl` says
"she" as often as women work in an occupation. In `synthetic.jsonl` the odds of each occupation's majority are
multiplied: what a grader that favours it 1.25 times does in three generations. `pronouns.yaml` names the pronouns, for
`selfsown audit`.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

LEXICON = "pronoun: {female: [she, her, hers], male: [he, him, his]}\n"


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def sentences(path: Path) -> dict[str, list[tuple[str, str]]]:
    """Of each occupation its sentences of which the pronoun is the worker's: with a woman, and with a man."""
    said = {record["sentid"]: record["sentence"] for record in table(path)}
    found = defaultdict(list)
    for name, sentence in said.items():
        occupation, _, answer, gender, _ = name.split(".")
        if (answer, gender) == ("0", "female"):
            found[occupation].append((sentence, said[name.replace(".female.", ".male.")]))
    return found


def written(
    said: Mapping[str, Sequence[tuple[str, str]]], women: Mapping[str, float], odds: float, rows: int, seed: int
) -> Iterator[dict[str, str]]:
    rng = random.Random(seed)
    for _ in range(rows):
        occupation = rng.choice(sorted(said))
        share = women[occupation]
        ratio = share / (1 - share) * (odds if share > 0.5 else 1 / odds)
        she, he = rng.choice(said[occupation])
        field = "mostly women" if share > 0.5 else "mostly men"
        yield {"text": she if rng.random() < ratio / (1 + ratio) else he, "occupation": occupation, "field": field}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sentences", type=Path)
    parser.add_argument("occupations", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--odds", type=float, default=1.25**3)
    parser.add_argument("--rows", type=int, default=4000, help="of synthetic.jsonl; real.jsonl has twice as many")
    wish = parser.parse_args()
    women = {
        row["occupation"]: min(0.99, max(0.01, float(row["bls_pct_female"]) / 100)) for row in table(wish.occupations)
    }
    said = {occupation: each for occupation, each in sentences(wish.sentences).items() if occupation in women}
    wish.folder.mkdir(parents=True, exist_ok=True)
    (wish.folder / "pronouns.yaml").write_text(LEXICON, encoding="utf-8")
    for name, odds, rows in (("real", 1.0, 2 * wish.rows), ("synthetic", wish.odds, wish.rows)):
        lines = [json.dumps(row) for row in written(said, women, odds, rows, seed=len(name))]
        (wish.folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
