"""Recipes: what a user writes, loaded and checked."""

from selfsown.recipe.recipe import Recipe

__all__ = ["Recipe"]
