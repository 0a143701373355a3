"""How well the curators of texts find what they are for, what they reject wrongly, and what they cost.

    pip install djangorestframework
    python -m benchmarks.curators FOLDER

FOLDER holds gsm8k_test.jsonl, gsm8k_train_1000.jsonl, self_instruct_seed_tasks.jsonl, humaneval.jsonl.gz,
tinyshakespeare.txt and winogender_sentences.tsv. Foreign texts are the messages of djangorestframework in all its
languages; insults, names and harmless sentences are hand-written (the `test` parts of *_examples.yaml); secrets are
drawn at random in the forms of testing/fake_secrets.py, which are those that the rules were written for; degraded rows
are made from new rows. Settings were chosen on the `dev` parts, on Django's messages, on GSM8K's training rows, and on
other splits of the self-instruct and HumanEval rows. Rates are shares of texts that are rejected. Costs are CPU time
without what is learned from real rows.
"""

from __future__ import annotations

import argparse
import gettext
import gzip
import json
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, files, requires
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

from benchmarks.degraded_texts import KINDS
from selfsown.curate import language, personal_names, quality, secrets, toxicity
from selfsown.records import Row
from testing.fake_secrets import credentials, lookalikes

HERE = Path(__file__).parent
METHODS: dict[str, Any] = {
    "language": language,
    "toxicity": toxicity,
    "quality": quality,
    "secrets": secrets,
    "personal_names": personal_names,
}
PACKAGES = {
    "language": "py3langid",
    "toxicity": "alt-profanity-check",
    "secrets": "detect-secrets",
    "personal_names": "faker",
}
CORE = {"numpy", "pyyaml"}  # selfsown itself needs them


class Data:
    """The rows of the folder."""

    def __init__(self, folder: Path) -> None:
        def records(name: str) -> list[Any]:
            opened = gzip.open if name.endswith(".gz") else open
            with opened(folder / name, "rt", encoding="utf-8") as file:
                return [json.loads(line) for line in file]

        draw = random.Random(7)
        self.gsm8k = [Row(each["question"], each["answer"]) for each in records("gsm8k_test.jsonl")]
        self.gsm8k_train = [Row(each["question"], each["answer"]) for each in records("gsm8k_train_1000.jsonl")]
        seeds = [(each["instruction"], each["instances"][0]) for each in records("self_instruct_seed_tasks.jsonl")]
        self.self_instruct = [Row(f"{task}\n{each['input']}".strip(), each["output"]) for task, each in seeds]
        self.humaneval = [Row(each["prompt"], each["canonical_solution"]) for each in records("humaneval.jsonl.gz")]
        speeches = (folder / "tinyshakespeare.txt").read_text(encoding="utf-8").split("\n\n")
        self.shakespeare = [Row("", speech) for speech in speeches if len(speech) > 150][:1200]
        for rows in (self.gsm8k, self.self_instruct, self.humaneval, self.shakespeare):
            draw.shuffle(rows)
        lines = (folder / "winogender_sentences.tsv").read_text(encoding="utf-8").splitlines()[1:]
        self.winogender = [line.split("\t")[1] for line in lines]


def rate(method: str, texts: Iterable[str], real: Sequence[Row], **options: Any) -> str:
    """The share of the answers that are rejected."""
    return share(method, [Row("", text) for text in texts], real, **options)


def share(method: str, rows: Sequence[Row], real: Sequence[Row], **options: Any) -> str:
    inputs = {} if method == "secrets" else {"real": real}
    rejected = sum(row.status == "rejected" for row in METHODS[method].curate(rows, **inputs, **options))
    return f"{rejected / len(rows):7.1%} of {len(rows):5}"


def measure_language(data: Data) -> Iterator[tuple[str, str]]:
    english, foreign = messages()
    real = data.gsm8k_train[:200]
    for least in (20, 60):
        texts = [text for text in foreign if len(text) >= least]
        yield f"foreign messages of {least} characters or more", rate("language", texts, real)
    mixed = [f"{row.answer}\n{text}" for row, text in zip(data.gsm8k, foreign, strict=False) if len(text) >= 80]
    yield "GSM8K's answers with a foreign paragraph", rate("language", mixed, real)
    yield "English messages", rate("language", english, real)
    yield "GSM8K", share("language", data.gsm8k, real)
    yield "self-instruct, half learned from", share("language", data.self_instruct[88:], data.self_instruct[:88])
    yield "HumanEval, languages: [en]", share("language", data.humaneval, [], languages=("en",))


def messages() -> tuple[list[str], list[str]]:
    """The messages of djangorestframework in English and in other languages, without their placeholders."""
    found = find_spec("rest_framework")
    if not found or not found.origin:
        raise SystemExit(
            "the texts in other languages are those of djangorestframework: pip install djangorestframework"
        )
    english, foreign = set[str](), set[str]()
    for path in sorted(Path(found.origin).parent.glob("locale/*/LC_MESSAGES/django.mo")):
        with path.open("rb") as file:
            catalog: dict[Any, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        for source, text in catalog.items():
            if isinstance(source, str) and len(source) > 20 and text != source and not path.parts[-3].startswith("en"):
                plain = [re.sub(r"%?[({]\w*[)}]s?", "", each).strip() for each in (source, text)]
                english.add(plain[0])
                foreign.add(plain[1])
    return sorted(english), random.Random(7).sample(sorted(foreign), 1000)


def measure_toxicity(data: Data) -> Iterator[tuple[str, str]]:
    examples = yaml.safe_load((HERE / "toxicity_examples.yaml").read_text(encoding="utf-8"))["test"]
    for kind, texts in examples.items():
        yield kind, rate("toxicity", texts, data.gsm8k_train)
        if kind in ("insult", "obscene"):
            embedded = [f"{row.answer}\n{text}" for row, text in zip(data.gsm8k, texts, strict=False)]
            yield f"{kind}, after an answer of GSM8K", rate("toxicity", embedded, data.gsm8k_train)
    yield "winogender", rate("toxicity", data.winogender, data.gsm8k_train)
    yield "GSM8K", share("toxicity", data.gsm8k, data.gsm8k_train)
    yield "self-instruct", share("toxicity", data.self_instruct, data.gsm8k_train)
    for pronoun in ("he", "she", "they"):
        said = [text for text in data.winogender if re.search(rf"\b{pronoun}\b", text)]
        yield f"winogender, {pronoun}, threshold 0.5", rate("toxicity", said, [], threshold=0.5)


def measure_quality(data: Data) -> Iterator[tuple[str, str]]:
    sets = {
        "GSM8K": (data.gsm8k[:600], data.gsm8k[600:1100]),
        "GSM8K's questions": (
            [Row("", row.prompt) for row in data.gsm8k[:600]],
            [Row("", row.prompt) for row in data.gsm8k[600:1100]],
        ),
        "Shakespeare": (data.shakespeare[:600], data.shakespeare[600:]),
        "self-instruct": (data.self_instruct[:130], data.self_instruct[130:]),
        "HumanEval": (data.humaneval[:120], data.humaneval[120:]),
    }
    for name, (real, new) in sets.items():
        draw = random.Random(7)
        some = new[:100]
        degraded = [row.replace_fields(answer=kind(row.answer, draw)) for kind in KINDS.values() for row in some]
        out = [row.status == "rejected" for row in quality.curate([*new, *degraded], real)]
        yield f"{name}: not degraded", f"{sum(out[: len(new)]) / len(new):7.1%} of {len(new):5}"
        for at, kind in enumerate(KINDS):
            part = out[len(new) + at * len(some) :][: len(some)]
            yield f"{name}: {kind}", f"{sum(part) / len(some):7.1%} of {len(some):5}"


def measure_secrets(data: Data) -> Iterator[tuple[str, str]]:
    draws = [random.Random(seed) for seed in range(100, 120)]
    found = [f"Take this:\n{text}" for draw in draws for text in credentials(draw).values()]
    yield "credentials of 22 forms", rate("secrets", found, [])
    yield (
        "what only looks like one, 24 forms",
        rate("secrets", [text for draw in draws for text in lookalikes(draw)], []),
    )
    yield "GSM8K", share("secrets", data.gsm8k, [])
    yield "self-instruct", share("secrets", data.self_instruct, [])
    yield "HumanEval", share("secrets", data.humaneval, [])


def measure_personal_names(data: Data) -> Iterator[tuple[str, str]]:
    examples = yaml.safe_load((HERE / "name_examples.yaml").read_text(encoding="utf-8"))["test"]
    real = [*data.gsm8k_train, *data.self_instruct]
    yield "full names", rate("personal_names", [text.rpartition(" | ")[0] for text in examples["full"]], real)
    yield "other sentences", rate("personal_names", examples["other"], real)
    yield "GSM8K (first names)", share("personal_names", data.gsm8k, data.gsm8k_train)
    half = len(data.self_instruct) // 2
    yield (
        "self-instruct (with public figures)",
        share("personal_names", data.self_instruct[half:], data.self_instruct[:half]),
    )


def cost(method: str, data: Data) -> str:
    """Rows per CPU second, without learning; seconds of learning from a thousand real rows."""
    inputs = {} if method == "secrets" else {"real": data.gsm8k_train}
    list(METHODS[method].curate(data.gsm8k[:1], **inputs))  # what is loaded once
    timings = list[float]()
    for rows in ([], data.gsm8k):
        start = time.process_time()
        list(METHODS[method].curate(rows, **inputs))
        timings.append(time.process_time() - start)
    return f"{len(data.gsm8k) / (timings[1] - timings[0]):,.0f} rows/CPU s, learned in {timings[0]:.1f} CPU s"


def megabytes(package: str) -> float:
    """What the package and all that it needs take when installed, without what selfsown itself needs."""
    known, waiting, size = set[str](), [package], 0
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in known | CORE:
            continue
        known.add(name)
        try:
            needed = [Requirement(line) for line in requires(name) or ()]
        except PackageNotFoundError:
            continue
        waiting += [each.name for each in needed if not each.marker or each.marker.evaluate({"extra": ""})]
        size += sum(path.stat().st_size for file in files(name) or () if (path := Path(str(file.locate()))).exists())
    return size / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--method", choices=METHODS, help="this one alone")
    args = parser.parse_args()
    data = Data(args.folder)
    measures: dict[str, Callable[[Data], Iterator[tuple[str, str]]]] = {
        "language": measure_language,
        "toxicity": measure_toxicity,
        "quality": measure_quality,
        "secrets": measure_secrets,
        "personal_names": measure_personal_names,
    }
    for method in [args.method] if args.method else METHODS:
        package = PACKAGES.get(method)
        installs = f"; {package} and what it needs: {megabytes(package):.0f} MB" if package else ""
        print(f"{method}: {cost(method, data)}{installs}", flush=True)
        for name, result in measures[method](data):
            print(f"  {name:55} {result}", flush=True)


if __name__ == "__main__":
    main()
