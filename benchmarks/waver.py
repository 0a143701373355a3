"""How much do models differ that learned from the same rows in another order, with and without a mean of weights?

    selfsown run guarded runs/guarded
    python benchmarks/waver.py runs/guarded --generation 9

One generation of a finished run is trained again from its parent and its rows, several times. Whatever differs between
these models is neither drift nor bias: it is what a guard must bear.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

from selfsown.loop import Loop, Watch
from selfsown.models import SamplingParams
from selfsown.recipe.recipe import Recipe
from selfsown.records import Mixture
from selfsown.run_folder import RunFolder

WRITTEN = 12_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of a finished run")
    parser.add_argument("--generation", type=int, default=9)
    parser.add_argument("--averages", type=float, nargs="*", default=[0.0, 0.5], help="shares of the last steps")
    parser.add_argument("--orders", type=int, default=4)
    parser.add_argument("--attribute", default="style")
    wish = parser.parse_args()
    store = RunFolder(wish.folder)
    recipe = Recipe.of(store.recipe())
    loop = Loop(recipe, store, recipe.real(), store.rows("real") or [], store.rows("held_out") or [], Watch())
    past = loop.past(store.generations()[: wish.generation + 1])
    mixture, parent = recipe.mix.one(Mixture, real=loop.real, synthetic=past), loop.model(wish.generation - 1)
    drawn = zip(mixture.rows, mixture.weights, strict=True)
    shares = Counter[str]()
    for row, weight in drawn:
        shares[row.metadata[wish.attribute]] += weight
    (most, share), *_ = shares.most_common()
    print(f"{wish.attribute}={most}: {100 * share:.1f} % of what is learned from\n")
    print(f"| average | order | {wish.attribute}={most}, % | {recipe.goal} | loss |\n|---|---|---|---|---|")
    for average in wish.averages:
        step = replace(recipe.train[0], options={**recipe.train[0].options, "average_last": average})
        for order in range(wish.orders):
            child = step.one(object, mixture=mixture, parent=parent, seed=order, tick=lambda done, of: None)
            scores = {score.key: score.value for score in loop.scores(child, loop.held_out)}
            replies = child.complete(
                [loop.task.opening(at % 2 + 1) for at in range(WRITTEN)], SamplingParams(seed=1, continue_prompt=True)
            )
            read = [loop.task.read(reply.prompt, reply.text) for (reply,) in replies if not reply.failure]
            values = [row.metadata[wish.attribute] for row in read if not isinstance(row, str)]
            told = f"{100 * values.count(most) / len(values):.1f} | {scores[recipe.goal]:.3f} | {scores['loss']:.3f}"
            print(f"| {average:g} | {order} | {told} |", flush=True)


if __name__ == "__main__":
    main()
