"""Training objectives of models of the transformers library, through TRL, under the names of selfsown.train.

All but `none` take work_dir, a folder that survives a kill, where the same training goes on from its last checkpoint,
and share these options: steps (of the optimizer, at most), epochs (passes over the rows, at most; 0: no limit but
steps), batch_size (rows in a step), micro_batch (rows in one pass of a device; 0 for as many as fit; gradients add up),
max_length (tokens of the longest row; 0 for the model's context; longer rows are left out and counted), learning_rate
(of AdamW; it warms up, and decays as a cosine; 0 for one that follows the weights: for sft and distill 1e-4 for 135
million, by the square root of the size less for more, and 2e-4 for LoRA; for dpo and grpo 5e-6 and 5e-5), weight_decay,
average_last (the share of the last steps whose mean weights are the result) and save_steps (between checkpoints; 0 for
one every five minutes).
"""
