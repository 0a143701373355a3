"""Any causal language model of the transformers library, as a student, teacher or judge.

model: the folder, of whole weights or of LoRA weights; or OWNER/NAME, which is downloaded once. revision: of a
name, the commit, tag or branch. device: auto takes a CUDA GPU, else Apple's, else the CPU. dtype: of the weights;
auto is bfloat16 where the device computes in it, else float32. train_weights: full trains all, lora and qlora small
matrices beside them (Hu et al. 2022; Dettmers et al. 2023, which needs bitsandbytes and a GPU); auto is full below
a billion parameters, else lora. lora_rank: the rank of those matrices. system: a system message for prompts that
have none. chat_template: a Jinja file, for a model that has no template or another. max_new_tokens: the longest
reply. top_p, top_k: sample from the likeliest tokens alone; 1 and 0 take all. batch_size: sequences sampled at a
time; 0 for one that suits the device. sampler: the command of a server that samples instead, such as "vllm serve
{folder} --port {port}"; of LoRA weights, {folder} is a merged copy, and {base} and {adapter} are their two parts,
where the server is to name the adapter "selfsown-adapter". launch: the command that starts training on several
GPUs, such as [accelerate, launch]. python: the interpreter of training, where it has an environment of its own.
"""

from selfsown.models.hf.model import HF, create, load
from selfsown.models.hf.needs import training_needs

__all__ = ["HF", "create", "load", "training_needs"]
OBJECTIVES = "selfsown.models.hf.objectives"
