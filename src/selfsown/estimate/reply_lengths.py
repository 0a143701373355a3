"""How many tokens a reply will have that no model has given yet, and what that number rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from selfsown.estimate.stub_model import CHARS_PER_TOKEN
from selfsown.estimate.usage import StepRole
from selfsown.pipeline import DatasetPipeline
from selfsown.usage import ledger
from selfsown.usage.budget import DEFAULT_REPLY_TOKENS

if TYPE_CHECKING:  # imports an HTTP client, which a recipe without a server does not need
    from selfsown.models.endpoint.endpoint import Endpoint
    from selfsown.models.endpoint.request import Request

STRUCTURED_REPLY_TOKENS = 100  # of a reply with a schema, without any evidence


class ReplyLengths:
    """Expected tokens of a reply, by the best evidence there is: earlier replies of the step in the folder, the real
    answers, max_tokens, or a fixed assumption. basis: for each step and role, which evidence was used."""

    def __init__(self, pipeline: DatasetPipeline) -> None:
        self.typical = ledger.mean_usage(pipeline.store.journal.path)
        answers = characters = 0
        for row in pipeline.store.stream("real"):
            answers += bool(row.answer)
            characters += len(row.answer)
        self.real_answer_tokens = round(characters / answers / CHARS_PER_TOKEN) if answers else 0
        self.basis: dict[StepRole, str] = {}

    def __call__(self, model: Endpoint, request: Request, has_schema: bool) -> int:
        tokens, basis = self._estimate(model, request, has_schema)
        self.basis[model.stage, model.role] = basis
        return tokens

    def _estimate(self, model: Endpoint, request: Request, has_schema: bool) -> tuple[int, str]:
        typical, _ = self.typical.get((model.stage, model.role), (None, None))
        own_limit = model.reply_options.max_tokens or model.extra.get("max_tokens")
        limit = (
            0 if model.style == "messages" and not own_limit else request.max_reply_tokens
        )  # that API demands a limit
        if typical is not None:
            return round(typical), "as long as earlier replies of this step"
        if self.real_answer_tokens and not has_schema:
            return min(self.real_answer_tokens, limit or self.real_answer_tokens), "as long as the real answers"
        if limit:
            return limit, "as long as max_tokens allows"
        tokens = STRUCTURED_REPLY_TOKENS if has_schema else DEFAULT_REPLY_TOKENS
        return tokens, f"{tokens:,} tokens, an assumption"
