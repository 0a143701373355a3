"""Any causal language model of the transformers library, as a student, teacher or judge."""

from selfsown.models.hf.model import HF, create, load

__all__ = ["HF", "create", "load"]
OBJECTIVES = "selfsown.models.hf.objectives"
