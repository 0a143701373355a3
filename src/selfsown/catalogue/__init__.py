"""What a recipe may name: shipped recipes, methods with their options, and keys."""
