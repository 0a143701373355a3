"""How much do models differ that were trained on the same rows in another order, with and without averaged weights?

    selfsown run guarded runs/guarded
    python -m benchmarks.order_variance runs/guarded --generation 9

One generation of a finished run is trained again from its parent and its rows, several times. Differences between
these models are neither drift nor bias: a guard must tolerate them.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

from selfsown.callbacks import Callbacks
from selfsown.loop import Loop
from selfsown.models import SamplingParams
from selfsown.recipe.recipe import Recipe
from selfsown.run_folder import RunFolder

ROWS_WRITTEN = 12_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of a finished run")
    parser.add_argument("--generation", type=int, default=9)
    parser.add_argument(
        "--averages", type=float, nargs="*", default=[0.0, 0.5], help="shares of the steps that are averaged"
    )
    parser.add_argument("--orders", type=int, default=4)
    parser.add_argument("--attribute", default="style")
    args = parser.parse_args()
    run_folder = RunFolder(args.folder)
    recipe = Recipe.of(run_folder.recipe())
    loop = Loop(
        recipe, run_folder, recipe.real(), run_folder.rows("real") or [], run_folder.rows("held_out") or [], Callbacks()
    )
    accepted = [generation for generation in run_folder.generations()[1 : args.generation + 1] if generation.accepted]
    past = [row for generation in accepted for row in loop.kept(generation.number)]
    mixture, parent = recipe.mix(real=loop.real, synthetic=past), loop.model(args.generation - 1)
    weighted = zip(mixture.rows, mixture.weights, strict=True)
    shares = Counter[str]()
    for row, weight in weighted:
        shares[row.metadata[args.attribute]] += weight
    (value, share), *_ = shares.most_common()
    print(f"{args.attribute}={value}: {100 * share:.1f} % of the training rows\n")
    print(f"| average | order | {args.attribute}={value}, % | {recipe.goal} | loss |\n|---|---|---|---|---|")
    for average in args.averages:
        step = replace(recipe.train[0], options={**recipe.train[0].options, "average_last": average})
        for order in range(args.orders):
            child = step(mixture=mixture, parent=parent, seed=order, tick=lambda done, of: None)
            scores = {score.key: score.value for score in loop.scores(child, loop.held_out)}
            replies = child.complete(
                [loop.task.opening(index % 2 + 1) for index in range(ROWS_WRITTEN)],
                SamplingParams(seed=1, continue_prompt=True),
            )
            rows = [loop.task.read(reply.prompt, reply.text) for (reply,) in replies if not reply.failure]
            values = [row.metadata[args.attribute] for row in rows if not isinstance(row, str)]
            cells = f"{100 * values.count(value) / len(values):.1f} | {scores[recipe.goal]:.3f} | {scores['loss']:.3f}"
            print(f"| {average:g} | {order} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
