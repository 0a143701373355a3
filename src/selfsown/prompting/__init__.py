"""Prompts to models and what comes back: structured output, judge prompts, reply checks, unconditional samples."""
