"""Training objectives: methods that train a model on a mixture of rows.

    train(mixture, parent, seed, tick, teacher, grader, *, …) -> Model

A function takes the inputs that it needs, by name, and returns a trained copy of the parent. Where the recipe names no
teacher, it is the parent. `grader(rows)` returns the rows, graded by the recipe's graders. `tick(done, total)` may be
called after each step, and `report(training)` at the end, with what was done.

All objectives share these options: steps (batches to train on, at most), epochs (passes over the rows, at most; 0: no
limit but steps), batch_size (rows in one), learning_rate (of matrices, by Muon), embedding_learning_rate (of all other
weights, by AdamW), weight_decay (of matrices) and average_last (the share of the last steps whose mean weights are the
result, Polyak and Juditsky 1992; 0 takes the last step's). sft and distill can also stop early.
"""
