"""The pictures of the specification, on losses known in closed form."""
